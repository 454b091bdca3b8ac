import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { decodeBounded, type Codec } from '../../protocols/shared/codec.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { compareBytes, equalBytes } from '../light/bytes.ts'
import { CID_BYTES } from './cid.ts'

/** Takes a decoded value for what it must be. @throws {CodedError} E_FRAME_SCHEMA */
export type Read<T> = (value: unknown) => T

/**
 * A codec whose bytes have one form: what decodes re-encodes to the same. No schema library: these bytes are read
 * hundreds of times a second by a node that follows, and by pages that weigh every kilobyte.
 */
export function defineCanonical<T>(
  name: string,
  maxBytes: number,
  read: Read<T>,
  write: (value: T) => unknown = (value) => value,
): Codec<T> {
  const bounded = (bytes: Uint8Array): Uint8Array => {
    if (bytes.byteLength <= maxBytes) return bytes
    throw new CodedError('E_FRAME_TOO_LARGE', `${name}: ${bytes.byteLength} bytes, the limit is ${maxBytes}`)
  }
  return {
    name,
    maxBytes,
    encode: (value) => bounded(dagCbor.encode(write(value))),
    decode(bytes) {
      const value = within(name, read, decodeBounded(name, bounded(bytes)))
      if (equalBytes(dagCbor.encode(write(value)), bytes)) return value
      throw new CodedError('E_FRAME_MALFORMED', `${name}: not canonical dag-cbor`)
    },
  }
}

function within<T>(name: string, read: Read<T>, value: unknown): T {
  try {
    return read(value)
  } catch (cause) {
    throw cause instanceof CodedError ? new CodedError(cause.code, `${name}: ${cause.message}`) : cause
  }
}

export function refuse(message: string): never {
  throw new CodedError('E_FRAME_SCHEMA', message)
}

export const whole =
  (min = 0, max = Number.MAX_SAFE_INTEGER): Read<number> =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : refuse(`not a whole number from ${min} to ${max}`)

export const bytes =
  (min: number, max = min): Read<Uint8Array> =>
  (value) =>
    value instanceof Uint8Array && value.byteLength >= min && value.byteLength <= max
      ? value
      : refuse(`not ${min === max ? min : `${min} to ${max}`} bytes`)

/** By rules that no release of a runtime changes: Unicode tables do not enter. */
export const text =
  (pattern: RegExp): Read<string> =>
  (value) =>
    typeof value === 'string' && pattern.test(value) && value.isWellFormed()
      ? value
      : refuse('not a text as it must be')

export const flag: Read<boolean> = (value) => (typeof value === 'boolean' ? value : refuse('neither true nor false'))

export const oneOf =
  <T extends string>(...values: readonly T[]): Read<T> =>
  (value) =>
    values.includes(value as T) ? (value as T) : refuse(`none of ${values.join(', ')}`)

export const orNull =
  <T>(read: Read<T>): Read<T | null> =>
  (value) =>
    value === null ? null : read(value)

export const orUndefined =
  <T>(read: Read<T>): Read<T | undefined> =>
  (value) =>
    value === null ? undefined : read(value)

export const listOf =
  <T>(read: Read<T>, max: number): Read<T[]> =>
  (value) =>
    Array.isArray(value) && value.length <= max ? value.map(read) : refuse(`not a list of at most ${max}`)

/** Without repetition, ascending. */
export const ascending =
  <T>(read: Read<T[]>, compare: (a: T, b: T) => number): Read<T[]> =>
  (value) => {
    const list = read(value)
    return list.every((each, at) => at === 0 || compare(list[at - 1]!, each) < 0) ? list : refuse('not in order')
  }

/** Exactly these fields. */
export const record =
  <T extends object>(fields: { readonly [K in keyof T]-?: Read<T[K]> }): Read<T> =>
  (value) => {
    const names = Object.keys(fields) as (keyof T & string)[]
    const from = isMap(value) && Object.keys(value).length === names.length ? value : refuse('not the fields it has')
    return Object.fromEntries(names.map((name) => [name, fields[name](from[name])])) as T
  }

export const tuple =
  <T extends readonly unknown[]>(...reads: { readonly [K in keyof T]: Read<T[K]> }): Read<T> =>
  (value) =>
    Array.isArray(value) && value.length === reads.length
      ? (value.map((each, at) => reads[at]!(each)) as unknown as T)
      : refuse(`not ${reads.length} fields`)

export const key = bytes(32)
export const signature = bytes(64)
export const cidBytes = bytes(CID_BYTES)
export const link: Read<Uint8Array> = (value) => cidBytes(CID.asCID(value)?.bytes)
export const keys = (max: number): Read<Uint8Array[]> => ascending(listOf(key, max), compareBytes)
export const cellName = text(/^[a-z0-9][a-z0-9-]{0,31}$/)
// oxlint-disable-next-line no-control-regex
export const personName = text(/^[^\u0000-\u001f\u007f-\u009f]{1,64}$/)
const part = whole(-(2 ** 30), 2 ** 30)
export const complex = tuple<readonly [number, number]>(part, part)

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
