import { CodedError } from '../../../protocols/shared/errors.ts'

/** The tar format (POSIX.1-2001 "ustar" and "pax"): 512-byte headers, content padded to 512 bytes. */
export const BLOCK_BYTES = 512
/** Longest name a reader takes; a longer one in a pax or GNU record is refused before it is read. */
export const MAX_NAME_BYTES = 4096
const MAX_OCTAL_SIZE = 0o77777777777
const NAME_BYTES = 100
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export interface TarHeader {
  path: string
  /** `0` file, `5` directory, `x` pax record, `L` GNU long name, and others. */
  type: string
  size: number
}

/** @returns the header, preceded by a pax record where the name or the size does not fit */
export function encodeHeader(path: string, type: '0' | '5', size: number): Uint8Array[] {
  const fits = encoder.encode(path).length <= NAME_BYTES && size <= MAX_OCTAL_SIZE && isAscii(path)
  if (fits) return [block(path, type, size)]
  const record = encoder.encode(paxLine('path', path) + (size <= MAX_OCTAL_SIZE ? '' : paxLine('size', String(size))))
  return [block('pax', 'x', record.length), pad(record), block('entry', type, Math.min(size, MAX_OCTAL_SIZE))]
}

/** @returns the bytes, filled up with zeros to whole blocks */
export function pad(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES)
  padded.set(bytes)
  return padded
}

export function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES
}

/**
 * @returns undefined for a block of zeros, which ends the archive
 * @throws {CodedError} E_TAR
 */
export function decodeHeader(bytes: Uint8Array): TarHeader | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined
  if (octal(bytes.subarray(148, 156)) !== checksum(bytes)) throw tarError('a header has a wrong checksum')
  const prefix = text(bytes.subarray(345, 500))
  const name = text(bytes.subarray(0, NAME_BYTES))
  // GNU tar keeps other things where ustar keeps the prefix.
  const ustar = text(bytes.subarray(257, 263)) === 'ustar'
  return {
    path: ustar && prefix !== '' ? `${prefix}/${name}` : name,
    type: text(bytes.subarray(156, 157)) || '0',
    size: sizeOf(bytes.subarray(124, 136)),
  }
}

/** @returns what a pax record sets, of the keys that matter here */
export function decodePax(record: Uint8Array): Partial<TarHeader> {
  const found: Partial<TarHeader> = {}
  for (let at = 0; at < record.length;) {
    const space = record.indexOf(0x20, at)
    const length = Number(text(record.subarray(at, Math.max(at, space))))
    if (space < 0 || !Number.isInteger(length) || length < 1 || at + length > record.length)
      throw tarError('a pax record is damaged')
    const [key, ...value] = text(record.subarray(space + 1, at + length - 1)).split('=')
    if (key === 'path') found.path = value.join('=')
    if (key === 'size') found.size = checkedSize(Number(value.join('=')))
    at += length
  }
  return found
}

export function tarError(message: string): CodedError {
  return new CodedError('E_TAR', `tar: ${message}`, {
    hint: 'send what `tar -c` writes: files and directories, in the ustar, pax or GNU format',
  })
}

export function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  try {
    return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))
  } catch {
    throw tarError('a name is not UTF-8')
  }
}

function block(path: string, type: string, size: number): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES)
  const put = (at: number, value: string) => bytes.set(encoder.encode(value), at)
  const field = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`
  put(0, path)
  put(100, field(type === '5' ? 0o755 : 0o644, 8))
  put(108, field(0, 8))
  put(116, field(0, 8))
  put(124, field(size, 12))
  put(136, field(0, 12))
  put(156, type)
  put(257, 'ustar\x0000')
  put(148, `${checksum(bytes).toString(8).padStart(6, '0')}\0 `)
  return bytes
}

/** The length of a pax line counts its own digits. */
function paxLine(key: string, value: string): string {
  const rest = encoder.encode(` ${key}=${value}\n`).length
  const digits = String(rest + String(rest).length).length
  return `${rest + digits} ${key}=${value}\n`
}

/** Sum of all bytes, with the checksum's own field as spaces. */
function checksum(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0)
}

/** GNU tar writes sizes over 8 GiB in binary, marked by the first bit. */
function sizeOf(field: Uint8Array): number {
  if ((field[0] ?? 0) < 0x80) return checkedSize(octal(field))
  return checkedSize(field.subarray(1).reduce((size, byte) => size * 256 + byte, 0))
}

function checkedSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw tarError('a size is no number')
  return size
}

function octal(field: Uint8Array): number {
  const digits = text(field).trim()
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
}

function isAscii(path: string): boolean {
  return /^[\u0020-\u007e]*$/.test(path)
}
