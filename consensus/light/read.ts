import { CodedError } from '../../protocols/shared/errors.ts'
import { decode, Link, type Data } from './cbor.ts'

/** Sizes of what a file may carry; each is checked before the work. */
export interface Limits {
  readonly maxBytes: number
  /** values of all kinds, so that a small file cannot become a large tree */
  readonly maxItems: number
}

/** @throws {CodedError} E_LIGHT_FILE */
export function decodeWithin(what: string, bytes: Uint8Array, { maxBytes, maxItems }: Limits): Data {
  if (bytes.length > maxBytes) throw malformed(`${what} has ${bytes.length} bytes, the limit is ${maxBytes}`)
  try {
    return decode(bytes, maxItems)
  } catch (cause) {
    throw malformed(`${what} is not canonical dag-cbor: ${(cause as Error).message}`, cause)
  }
}

/** @returns the fields of a map that has exactly these */
export function fieldsOf<K extends string>(what: string, value: Data, ...names: readonly K[]): Record<K, Data> {
  if (!(value instanceof Map) || value.size !== names.length || !names.every((name) => value.has(name))) {
    throw malformed(`${what} does not have the fields ${names.join(', ')}`)
  }
  return Object.fromEntries(value as ReadonlyMap<K, Data>) as Record<K, Data>
}

export function listOf(what: string, value: Data, max: number): readonly Data[] {
  if (Array.isArray(value) && value.length <= max) return value
  throw malformed(`${what} is not a list of at most ${max}`)
}

export function tupleOf(what: string, value: Data, length: number): readonly Data[] {
  if (Array.isArray(value) && value.length === length) return value
  throw malformed(`${what} is not a list of ${length}`)
}

export function bytesOf(what: string, value: Data, length?: number): Uint8Array {
  if (value instanceof Uint8Array && (length === undefined || value.length === length)) return value
  throw malformed(`${what} is not ${length === undefined ? '' : `${length} `}bytes`)
}

/** CID bytes, written as a link or as bytes. */
export function cidBytesOf(what: string, value: Data): Uint8Array {
  return bytesOf(what, value instanceof Link ? value.bytes : value, 36)
}

export function wholeOf(what: string, value: Data, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw malformed(`${what} is not a whole number from ${min} to ${max}`)
}

export function textOf(what: string, value: Data): string {
  if (typeof value === 'string') return value
  throw malformed(`${what} is not a text`)
}

export function flagOf(what: string, value: Data): boolean {
  if (typeof value === 'boolean') return value
  throw malformed(`${what} is neither true nor false`)
}

export function malformed(message: string, cause?: unknown): CodedError {
  return new CodedError('E_LIGHT_FILE', message, {
    hint: 'take the file again from where it came: it is cut short, changed, or no epoch that was exported',
    cause,
  })
}
