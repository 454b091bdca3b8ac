import { z } from 'zod'
import { defineCodec, type Codec } from '../shared/codec.ts'
import { CodedError } from '../shared/errors.ts'
import { bytes, refused } from '../shared/fields.ts'
import {
  MAX_BLOCK_BYTES,
  MAX_CID_BYTES,
  MAX_FRAME_BYTES,
  MAX_HEADER_BYTES,
  MAX_WANTS,
  PUSH_WINDOW_BLOCKS,
} from './constants.ts'

const LENGTH_BYTES = 4

const cid = bytes(4, MAX_CID_BYTES)
const cids = z.array(cid).max(MAX_WANTS)
const sized = z.array(z.strictObject({ cid, size: z.int().min(0).max(MAX_BLOCK_BYTES) }))

const requestHeader = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('want'), cids, cancel: cids }),
  z.strictObject({ type: z.literal('push'), blocks: sized.min(1).max(MAX_WANTS) }),
])

const answerHeader = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('blocks'), blocks: sized.max(MAX_WANTS), absent: cids }),
  z.strictObject({ type: z.literal('stored'), cids: z.array(cid).min(1).max(PUSH_WINDOW_BLOCKS) }),
  refused,
])

export interface Block {
  readonly cid: Uint8Array
  readonly bytes: Uint8Array
}

/** A header whose entries of `blocks` stand with their bytes. */
type WithBytes<T> = T extends { blocks: unknown } ? Omit<T, 'blocks'> & { blocks: Block[] } : T

export type Request = WithBytes<z.infer<typeof requestHeader>>
export type Answer = WithBytes<z.infer<typeof answerHeader>>

export interface FrameCodec<T> extends Pick<Codec<T>, 'name' | 'maxBytes' | 'decode'> {
  /** In parts, the blocks' own bytes among them: nothing large is copied. */
  encode(value: T): Uint8Array[]
}

export const requestCodec = withBlocks<Request>(defineCodec('blocks request', MAX_HEADER_BYTES, requestHeader))
export const answerCodec = withBlocks<Answer>(defineCodec('blocks answer', MAX_HEADER_BYTES, answerHeader))

export const blocksCodecs = [requestCodec, answerCodec] as const

/** The blocks' bytes stand after the header: not copied to send, and no large structure can be decoded from them. */
function withBlocks<T extends object>(headers: Codec<object>): FrameCodec<T> {
  const { name, encode: encodeHeader } = headers
  return {
    name,
    maxBytes: MAX_FRAME_BYTES,
    encode(value) {
      const blocks = blocksOf(value)
      const named = blocks?.map((block) => ({ cid: block.cid, size: block.bytes.byteLength }))
      const header = encodeHeader(named === undefined ? value : { ...value, blocks: named })
      const length = new Uint8Array(LENGTH_BYTES)
      new DataView(length.buffer).setUint32(0, header.byteLength)
      return [length, header, ...(blocks ?? []).map(({ bytes }) => bytes)]
    },
    decode(bytes) {
      if (bytes.byteLength > MAX_FRAME_BYTES) throw tooLarge(name, bytes.byteLength)
      if (bytes.byteLength < LENGTH_BYTES) throw malformed(name, 'shorter than a length')
      const end = LENGTH_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
      if (end > bytes.byteLength) throw malformed(name, 'shorter than its header')
      const header = headers.decode(bytes.subarray(LENGTH_BYTES, end))
      return attach(name, header, bytes.subarray(end)) as T
    },
  }
}

function blocksOf(value: object): readonly Block[] | undefined {
  return 'blocks' in value ? (value.blocks as readonly Block[]) : undefined
}

function attach(name: string, header: object, payload: Uint8Array): object {
  const sized = 'blocks' in header ? (header.blocks as { cid: Uint8Array; size: number }[]) : []
  if (sized.reduce((sum, { size }) => sum + size, 0) !== payload.byteLength) {
    throw malformed(name, 'not as long as its blocks')
  }
  if (!('blocks' in header)) return header
  let at = 0
  const blocks = sized.map(({ cid, size }) => {
    const bytes = payload.subarray(at, (at += size))
    // One small block that is kept would else keep its whole frame in memory.
    return { cid, bytes: sized.length > 1 ? new Uint8Array(bytes) : bytes }
  })
  return { ...header, blocks }
}

function malformed(name: string, why: string): CodedError {
  return new CodedError('E_FRAME_MALFORMED', `${name}: ${why}`)
}

function tooLarge(name: string, length: number): CodedError {
  return new CodedError('E_FRAME_TOO_LARGE', `${name}: ${length} bytes, the limit is ${MAX_FRAME_BYTES}`)
}
