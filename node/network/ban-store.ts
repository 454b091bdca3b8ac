import { z } from 'zod'
import { defineCodec } from '../../protocols/shared/codec.ts'
import type { Sublevel } from '../storage/sublevel.ts'
import type { Ban } from './ledger.ts'
import { MAX_LEDGER_ENTRIES } from './limits.ts'

const KEY = 'bans'

const bansCodec = defineCodec<Ban[]>(
  'bans',
  4_194_304,
  z
    .array(
      z.strictObject({
        peerId: z.string().max(128),
        owner: z.string().max(64).exactOptional(),
        until: z.int().nonnegative(),
        times: z.int().min(1),
      }),
    )
    .max(MAX_LEDGER_ENTRIES),
)

export async function loadBans(store: Pick<Sublevel, 'get'>): Promise<Ban[]> {
  const bytes = await store.get(KEY)
  return bytes === undefined ? [] : bansCodec.decode(bytes)
}

export async function saveBans(store: Pick<Sublevel, 'put'>, bans: Ban[]): Promise<void> {
  await store.put(KEY, bansCodec.encode(bans))
}
