import { compareBytes, concatBytes } from './bytes.ts'

/** A CID in tag 42, as its bytes. */
export class Link {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

export type Data = null | boolean | number | string | Uint8Array | Link | readonly Data[] | ReadonlyMap<string, Data>

const MAX_DEPTH = 16
const FLOAT = 0xfb
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes one item of canonical dag-cbor: there is one spelling of each value, and no other passes. It is here because
 * a page has 60 kB for all of the verifier.
 *
 * @param maxItems - more than so many values are refused, whatever their size
 * @throws RangeError, TypeError for anything else
 */
export function decode(bytes: Uint8Array, maxItems: number): Data {
  const source: Source = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: 0,
    maxItems,
  }
  const value = item(source, 0)
  if (source.at !== bytes.length) throw new RangeError('more than one item')
  return value
}

interface Source {
  readonly bytes: Uint8Array
  readonly view: DataView
  at: number
  maxItems: number
}

function item(source: Source, depth: number): Data {
  if (depth > MAX_DEPTH) throw new RangeError('nested too deep')
  if (source.maxItems-- <= 0) throw new RangeError('too many values')
  need(source, 1)
  const first = source.view.getUint8(source.at++)
  const major = first >> 5
  if (major === 7) return simple(source, first)
  const value = argument(source, first & 0x1f)
  if (major === 0) return value
  if (major === 1 && value < Number.MAX_SAFE_INTEGER) return -1 - value
  if (major === 2) return taken(source, value)
  if (major === 3) return text.decode(taken(source, value))
  if (major === 4) return Array.from({ length: children(source, value) }, () => item(source, depth + 1))
  if (major === 5) return entries(source, children(source, value), depth + 1)
  if (major === 6) return link(value, item(source, depth + 1))
  throw new RangeError('number too large')
}

/** The number in or behind a head, in its shortest form. */
function argument(source: Source, info: number): number {
  const { view, at } = source
  if (info < 24) return info
  const [width, least] = [1 << (info - 24), [24, 2 ** 8, 2 ** 16, 2 ** 32][info - 24]]
  if (least === undefined) throw new RangeError('bad head')
  need(source, width)
  const value =
    width === 1
      ? view.getUint8(at)
      : width === 2
        ? view.getUint16(at)
        : width === 4
          ? view.getUint32(at)
          : view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
  if (value < least || !Number.isSafeInteger(value)) throw new RangeError('number in a longer form, or too large')
  source.at += width
  return value
}

function simple(source: Source, first: number): Data {
  if (first === 0xf4) return false
  if (first === 0xf5) return true
  if (first === 0xf6) return null
  if (first !== FLOAT) throw new RangeError('bad head')
  need(source, 8)
  const value = source.view.getFloat64(source.at)
  source.at += 8
  if (!Number.isFinite(value) || Number.isSafeInteger(value)) throw new RangeError('float of another form')
  return value
}

function taken(source: Source, length: number): Uint8Array {
  need(source, length)
  return source.bytes.subarray(source.at, (source.at += length))
}

function need({ bytes, at }: Source, length: number): void {
  if (length > bytes.length - at) throw new RangeError('the bytes end too early')
}

function children(source: Source, count: number): number {
  if (count > source.maxItems || count > source.bytes.length - source.at) throw new RangeError('too many values')
  return count
}

function entries(source: Source, count: number, depth: number): ReadonlyMap<string, Data> {
  const map = new Map<string, Data>()
  let last: Uint8Array | undefined
  for (let i = 0; i < count; i++) {
    const from = source.at
    const key = item(source, depth)
    // Shorter keys come first, and the head says the length: the encoded keys are in bytewise order.
    const encoded = source.bytes.subarray(from, source.at)
    if (typeof key !== 'string' || (last !== undefined && compareBytes(last, encoded) >= 0)) {
      throw new RangeError('keys of a map out of order')
    }
    last = encoded
    map.set(key, item(source, depth))
  }
  return map
}

function link(tag: number, content: Data): Link {
  if (tag !== 42 || !(content instanceof Uint8Array) || content[0] !== 0) throw new RangeError('not a link')
  return new Link(content.subarray(1))
}

/** @returns the canonical bytes; numbers must be finite, whole ones safe */
export function encode(value: Data): Uint8Array {
  if (value === null) return Uint8Array.of(0xf6)
  if (typeof value === 'boolean') return Uint8Array.of(value ? 0xf5 : 0xf4)
  if (typeof value === 'number') return number(value)
  if (typeof value === 'string') return sized(3, new TextEncoder().encode(value))
  if (value instanceof Uint8Array) return sized(2, value)
  if (value instanceof Link) return concatBytes(head(6, 42), sized(2, concatBytes(Uint8Array.of(0), value.bytes)))
  if (value instanceof Map) {
    const pairs = [...(value as ReadonlyMap<string, Data>)].map(([key, each]) => [encode(key), encode(each)] as const)
    pairs.sort(([a], [b]) => compareBytes(a, b))
    return concatBytes(head(5, pairs.length), ...pairs.flat())
  }
  const list = value as readonly Data[]
  return concatBytes(head(4, list.length), ...list.map(encode))
}

function number(value: number): Uint8Array {
  if (Number.isSafeInteger(value)) return value < 0 ? head(1, -1 - value) : head(0, value)
  const bytes = new Uint8Array(9)
  bytes[0] = FLOAT
  new DataView(bytes.buffer).setFloat64(1, value)
  return bytes
}

function sized(major: number, content: Uint8Array): Uint8Array {
  return concatBytes(head(major, content.length), content)
}

function head(major: number, value: number): Uint8Array {
  const first = major << 5
  if (value < 24) return Uint8Array.of(first | value)
  const width = value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : value < 2 ** 32 ? 4 : 8
  const bytes = new Uint8Array(1 + width)
  bytes[0] = first | (24 + Math.log2(width))
  for (let i = width, rest = value; i > 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256
  return bytes
}
