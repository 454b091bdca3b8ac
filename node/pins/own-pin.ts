import { z } from 'zod'
import { defineCodec } from '../../protocols/shared/codec.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { PinDocument, PinExportRow, PinFilter, PinOptions } from '../operations-pins.ts'
import { timeOf } from './documents.ts'

export const ownPinCodec = defineCodec(
  'own pin',
  65_536,
  z.strictObject({
    name: z.string(),
    mode: z.enum(['recursive', 'direct']),
    metadata: z.record(z.string(), z.string()),
    origins: z.array(z.string()),
    priority: z.int().min(0).max(9),
    expires: z.int().nullable(),
    created: z.int(),
  }),
)
/** A pin of a node that is in no cell. `created`, `expires`: Unix milliseconds. */
export type OwnPin = ReturnType<typeof ownPinCodec.decode>

/** What is absent stays as the pin has it. */
export function merged(known: OwnPin | undefined, options: PinOptions, now: number): OwnPin {
  const { name, mode, metadata, origins, priority, expiresInSeconds } = options
  return {
    name: name ?? known?.name ?? '',
    mode: mode ?? known?.mode ?? 'recursive',
    metadata: metadata ?? known?.metadata ?? {},
    origins: [...(origins ?? known?.origins ?? [])],
    priority: priority ?? known?.priority ?? 0,
    expires: expiresInSeconds === undefined ? (known?.expires ?? null) : now + Math.round(expiresInSeconds * 1000),
    created: known?.created ?? now,
  }
}

/** @throws {CodedError} E_NOT_IN_ROLE for anything but the one copy of this node */
export function refuseCopies({ replicationMin, replicationMax, allocations }: PinOptions): void {
  const copies = [replicationMin, replicationMax].filter((count) => count !== undefined && count !== 1)
  if (copies.length === 0 && allocations === undefined) return
  throw new CodedError('E_NOT_IN_ROLE', 'this node is in no cell: it keeps one copy, its own', {
    hint: 'ask a full node for more: kairos --path DIR, or --api URL',
  })
}

export function ownPinOf(row: PinExportRow, now: number): OwnPin {
  const { name = '', mode = 'recursive', metadata = {}, origins = [], priority = 0 } = row
  const created = row.created === undefined ? now : Date.parse(row.created)
  const expires = row.expires === undefined || row.expires === null ? null : Date.parse(row.expires)
  return { name, mode, metadata, origins, priority, expires, created }
}

export function ownRowOf(cid: string, { expires, created, ...pin }: OwnPin): PinExportRow {
  return { cid, ...pin, created: timeOf(created), ...(expires !== null && { expires: timeOf(expires) }) }
}

export function ownDocumentOf(
  cid: string,
  { expires, created, ...pin }: OwnPin,
  { peerId, name }: { peerId: string; name: string },
): PinDocument {
  return {
    cid,
    ...pin,
    replicationMin: 1,
    replicationMax: 1,
    allocations: [],
    expires: expires === null ? null : timeOf(expires),
    owner: peerId,
    created: timeOf(created),
    names: { [peerId]: name },
  }
}

export function matcherOf({ name, metadata, mode, createdAfter, createdBefore }: PinFilter): (pin: OwnPin) => boolean {
  const [from, to] = [Date.parse(createdAfter ?? ''), Date.parse(createdBefore ?? '')]
  return (pin) =>
    (name === undefined || pin.name.startsWith(name)) &&
    (mode === undefined || pin.mode === mode) &&
    !(pin.created < from) &&
    !(pin.created >= to) &&
    Object.entries(metadata ?? {}).every(([key, value]) => pin.metadata[key] === value)
}
