import type { CID } from 'multiformats/cid'
import { codeOf, messageOf } from '../../../protocols/shared/errors.ts'
import type { VerifyRow } from '../../operations-repo.ts'
import { PAGE_ROWS } from './constants.ts'
import type { Leases } from './leases.ts'
import type { PinStore, VerifyOptions } from './types.ts'

export interface VerifyInit {
  store: PinStore
  leases: Leases
  /** Whether a pin holds it; of another one it does not matter when it is gone. */
  isPinned: (cid: CID) => Promise<boolean>
  /** A pin counts it, and it is not here. */
  onMissing: (cid: CID) => void
}

type State = { state: 'good'; bytes: number } | { state: 'damaged' | 'missing'; message: string }

const STATES: ReadonlyMap<string, 'damaged' | 'missing'> = new Map([
  ['E_BLOCK_CORRUPT', 'damaged'],
  ['E_CONTENT_NOT_FOUND', 'missing'],
])

/** Reads every block of the pages, which checks its hash; one row for each page, and for each block with a fault. */
export async function* verifyBlocks(
  pages: AsyncIterable<CID[]>,
  init: VerifyInit,
  options: VerifyOptions,
): AsyncGenerator<VerifyRow> {
  const seen = { blocks: 0, bytes: 0 }
  for await (const page of pages) {
    for (const cid of page) {
      options.signal.throwIfAborted()
      const state = await stateOf(cid, init.store)
      seen.blocks++
      if (state.state === 'good') {
        seen.bytes += state.bytes
        continue
      }
      if (state.state === 'missing') {
        if (!(await init.isPinned(cid))) continue
        init.onMissing(cid)
      }
      yield { type: state.state, cid: cid.toString(), message: state.message, ...seen }
      if (options.repair) yield { ...(await repair(cid, init, options)), cid: cid.toString(), ...seen }
    }
    yield { type: 'progress', ...seen }
  }
  yield { type: 'end', ...seen }
}

/** Pages of what a function gives after the last one. */
export async function* pagesOf(
  read: (page: { after?: Uint8Array; limit: number }) => Promise<CID[]>,
): AsyncGenerator<CID[]> {
  let page = await read({ limit: PAGE_ROWS })
  while (page.length > 0) {
    yield page
    page = await read({ after: page.at(-1)!.multihash.bytes, limit: PAGE_ROWS })
  }
}

async function stateOf(cid: CID, store: PinStore): Promise<State> {
  let bytes = 0
  try {
    for await (const part of store.get(cid)) bytes += part.byteLength
    return { state: 'good', bytes }
  } catch (error) {
    const state = STATES.get(codeOf(error))
    if (state === undefined) throw error
    return { state, message: messageOf(error) }
  }
}

async function repair(
  cid: CID,
  { store, leases }: VerifyInit,
  { get, signal }: VerifyOptions,
): Promise<Pick<VerifyRow, 'type' | 'message'>> {
  if (get === undefined) return { type: 'failed', message: 'there is nobody to ask for it' }
  const lease = leases.hold()
  try {
    await lease.add(cid)
    const bytes = await get(cid, signal)
    // A damaged block that is still there would be taken for the one that is put.
    await store.delete(cid)
    await store.put(cid, bytes)
    return { type: 'repaired' }
  } catch (error) {
    signal.throwIfAborted()
    return { type: 'failed', message: messageOf(error) }
  } finally {
    lease.release()
  }
}
