import { z } from 'zod'
import { CodedError } from '../../protocols/shared/errors.ts'

const count = z.int().min(0)
export const headSchema = z.strictObject({
  /** batches written so far */
  sequence: count,
  /** of the last final epoch, 0 before the first */
  height: count,
  /** CID of its header; no bytes before the first */
  value: z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength <= 48),
  /** of the first epoch that is kept, height + 1 when none is */
  oldest: count,
  trust: z.enum(['genesis', 'checkpoint']),
})

export type ChainHead = z.infer<typeof headSchema>

/** An epoch as it is kept, sent and exported: bytes. */
export interface StoredEpoch {
  /** CID bytes of the header */
  value: Uint8Array
  /** the encoded block */
  block: Uint8Array
  /** the encoded certificate */
  certificate: Uint8Array
}

export const EMPTY_CHAIN: ChainHead = { sequence: 0, height: 0, value: new Uint8Array(), oldest: 1, trust: 'genesis' }

export function damagedChain(what: string, cause?: unknown): CodedError {
  return new CodedError('E_MESH_STORE_DAMAGED', `the store of epochs is damaged: ${what}`, {
    hint:
      'nothing was changed: move mesh/chain in the directory of this node away and start again, and it takes the epochs ' +
      'from other nodes; leave mesh/wal where it is, which keeps this node from voting twice',
    cause,
  })
}
