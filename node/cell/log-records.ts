import { hash } from 'node:crypto'
import { z } from 'zod'
import { defineCodec, type Codec } from '../../protocols/shared/codec.ts'
import { CodedError } from '../../protocols/shared/errors.ts'

/** Version of what is written here, apart from the database's own; a newer one is refused. */
export const LOG_VERSION = 1
/** An entry's data; the engine is asked for less. */
export const MAX_ENTRY_BYTES = 8_388_608
const MAX_MEMBERS = 1024
const MAX_ROOT_BYTES = 128
const MARK_BYTES = 8

const count = z.int().min(0)
const bytes = (max: number) => z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength <= max)
const members = z.array(z.int().min(1)).max(MAX_MEMBERS).readonly()

const configurationSchema = z.strictObject({
  voters: members,
  learners: members,
  votersOutgoing: members,
  learnersNext: members,
})

const identitySchema = z.strictObject({
  version: z.literal(LOG_VERSION),
  meshId: z.string().max(256),
  peerId: z.string().max(256),
  cell: z.string().max(256),
  incarnation: bytes(16),
})

/** Whose log it is; never changes. */
export type LogIdentity = z.infer<typeof identitySchema>

const headSchema = z.strictObject({
  /** batches written so far */
  sequence: count,
  raftId: count,
  term: count,
  vote: count,
  commit: count,
  /** entries on disk are snapshotIndex + 1 to last */
  last: count,
  lastTerm: count,
  snapshotIndex: count,
  snapshotTerm: count,
})

/** All that is not an entry, in two copies: what a lost or resurrected record would contradict. */
export type Head = z.infer<typeof headSchema>

const entrySchema = z.strictObject({
  index: z.int().min(1),
  term: count,
  /** By Raft's log matching, index and term of an entry tell everything before it: one that fell out shows here. */
  previousTerm: count,
  kind: z.enum(['normal', 'change']),
  data: bytes(MAX_ENTRY_BYTES),
})

const snapshotSchema = z.strictObject({
  index: count,
  term: count,
  configuration: configurationSchema,
  root: bytes(MAX_ROOT_BYTES),
})

/** A record as it lies on disk: dag-cbor, then a mark over key and body. */
export interface RecordFormat<T> {
  encode(key: Uint8Array, value: T): Uint8Array
  /** @throws {CodedError} E_CELL_LOG_CORRUPT naming the record */
  decode(key: Uint8Array, record: Uint8Array): T
}

const KIB = 1024
export const identityFormat = markedFormat(defineCodec('cell log identity', KIB, identitySchema))
/** Reads the version alone, also of a record that a newer release wrote. */
export const versionFormat = markedFormat(defineCodec('cell log version', 64 * KIB, z.object({ version: count })))
export const headFormat = markedFormat(defineCodec('cell log head', KIB, headSchema))
export const snapshotFormat = markedFormat(defineCodec('cell log snapshot', 64 * KIB, snapshotSchema))
export const entryFormat = markedFormat(defineCodec('cell log entry', MAX_ENTRY_BYTES + KIB, entrySchema))

/** Big-endian, so that entries lie in the order of their indexes. */
export function entryKey(index: number): Uint8Array {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(BigInt(index))
  return key
}

export function indexOfKey(key: Uint8Array): number {
  if (key.byteLength !== 8) throw corruptLog(`it has a key of ${key.byteLength} bytes`)
  return Number(Buffer.from(key.buffer, key.byteOffset, 8).readBigUInt64BE())
}

/** The one way on from a damaged log: a node that forgot a vote or an entry may not vote under its old id. */
export const REJOIN_HINT =
  'nothing was changed and this node does not vote; do not restore the directory from a backup, which would vote twice: ' +
  'move it away and start again, and the node joins its cell under a new id'

export function corruptLog(what: string, cause?: unknown): CodedError {
  return new CodedError('E_CELL_LOG_CORRUPT', `the Raft log is damaged: ${what}`, { hint: REJOIN_HINT, cause })
}

function markedFormat<T>(codec: Codec<T>): RecordFormat<T> {
  return {
    encode(key, value) {
      const body = codec.encode(value)
      return Buffer.concat([body, markOf(key, body)])
    },
    decode(key, record) {
      const body = record.subarray(0, Math.max(0, record.byteLength - MARK_BYTES))
      if (!markOf(key, body).equals(record.subarray(body.byteLength))) {
        throw corruptLog(`${codec.name} ${nameOf(key)} does not match its mark`)
      }
      try {
        return codec.decode(body)
      } catch (error) {
        throw corruptLog(`${codec.name} ${nameOf(key)} is none`, error)
      }
    },
  }
}

// Not a CRC: the database's own covers this record, and a CRC over bytes that end in their CRC proves nothing.
function markOf(key: Uint8Array, body: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([key, body]), 'buffer').subarray(0, MARK_BYTES)
}

function nameOf(key: Uint8Array): string {
  return key.byteLength === 8 ? String(indexOfKey(key)) : `“${Buffer.from(key).toString()}”`
}
