import * as dagCbor from '@ipld/dag-cbor'
import type { z } from 'zod'
import { CodedError } from './errors.ts'

/**
 * The one encoding of everything of ours (blueprint, "Three planes"): dag-cbor, decoded under a
 * byte limit and checked against a schema. `decode` throws nothing but `CodedError`.
 */
export interface Codec<T> {
  readonly name: string
  readonly maxBytes: number
  encode(value: T): Uint8Array
  /** @throws {CodedError} E_FRAME_TOO_LARGE | E_FRAME_MALFORMED | E_FRAME_SCHEMA */
  decode(bytes: Uint8Array): T
}

/** Deeper nesting than any message of ours has; checked before the recursive decoder runs. */
export const MAX_DEPTH = 16

export function defineCodec<T>(name: string, maxBytes: number, schema: z.ZodType<T>): Codec<T> {
  return {
    name,
    maxBytes,
    encode(value) {
      const bytes = dagCbor.encode(value)
      if (bytes.byteLength > maxBytes) throw tooLarge(name, bytes.byteLength, maxBytes)
      return bytes
    },
    decode(bytes) {
      if (bytes.byteLength > maxBytes) throw tooLarge(name, bytes.byteLength, maxBytes)
      const parsed = schema.safeParse(decodeBounded(name, bytes))
      if (parsed.success) return parsed.data
      const issue = parsed.error.issues[0]
      throw new CodedError(
        'E_FRAME_SCHEMA',
        `${name}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`,
      )
    },
  }
}

/** Decodes what is short enough. @throws {CodedError} E_FRAME_MALFORMED */
export function decodeBounded(name: string, bytes: Uint8Array): unknown {
  try {
    checkDepth(bytes)
    return dagCbor.decode(bytes)
  } catch (cause) {
    throw new CodedError('E_FRAME_MALFORMED', `${name}: not canonical dag-cbor`, { cause })
  }
}

/**
 * Walks the heads of the items without building anything (RFC 8949 §3): refuses nesting over
 * MAX_DEPTH and lengths that pass the end of the frame.
 */
function checkDepth(bytes: Uint8Array): void {
  const open: number[] = []
  let at = 0
  while (at < bytes.length) {
    const { major, value, next } = readHead(bytes, at)
    at = next
    if (major === 2 || major === 3) at += value
    const children = major === 4 ? value : major === 5 ? value * 2 : major === 6 ? 1 : 0
    if (at > bytes.length || children > bytes.length - at) throw new RangeError('length passes the end')
    if (children > 0) {
      if (open.push(children) > MAX_DEPTH) throw new RangeError('nested too deep')
      continue
    }
    while (open.length > 0 && --open[open.length - 1]! === 0) open.pop()
  }
}

function readHead(bytes: Uint8Array, at: number): { major: number; value: number; next: number } {
  const first = bytes[at] ?? 0
  const info = first & 0x1f
  if (info < 24) return { major: first >> 5, value: info, next: at + 1 }
  const width = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : 0
  if (width === 0 || at + 1 + width > bytes.length) throw new RangeError('bad head')
  let value = 0
  for (let i = 1; i <= width; i++) value = value * 256 + (bytes[at + i] ?? 0)
  return { major: first >> 5, value, next: at + 1 + width }
}

function tooLarge(name: string, length: number, maxBytes: number): CodedError {
  return new CodedError('E_FRAME_TOO_LARGE', `${name}: ${length} bytes, the limit is ${maxBytes}`)
}
