import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '../../protocols/shared/errors.ts'
import { RESTORE_HINT } from './storage-error.ts'

/**
 * LevelDB's write-ahead log (its doc/log_format.md): blocks of 32 KiB, records of
 * `crc32c(4, masked) length(2) type(1) data`, all little-endian; a batch is one record of type
 * FULL, or FIRST, MIDDLE…, LAST.
 *
 * On opening, LevelDB skips damaged records without a word, and with them writes that were
 * acknowledged. Damage at the end is what a power cut leaves of the batch being written then;
 * damage with the start of a later batch behind it is lost data, and refused here.
 */
const BLOCK = 32_768
const HEADER = 7
const FULL = 1
const FIRST = 2
const LAST = 4

/** @throws {CodedError} E_STORAGE_CORRUPT naming the file and the offset */
export async function checkFiles(directory: string): Promise<void> {
  const names = (await readdir(directory)).sort()
  const logs = names.filter((name) => /^\d+\.log$/.test(name))
  // Without CURRENT, LevelDB would begin an empty database over the data.
  if (!names.includes('CURRENT') && (logs.length > 0 || names.some((name) => name.endsWith('.ldb')))) {
    throw damage(directory, 'has lost its file CURRENT')
  }
  for (const name of logs) {
    const at = findDamage(await readFile(join(directory, name)))
    if (at !== undefined) throw damage(join(directory, name), `is damaged at byte ${at}`)
  }
}

function damage(path: string, what: string): CodedError {
  return new CodedError('E_STORAGE_CORRUPT', `${path} ${what}`, { hint: RESTORE_HINT })
}

/** @returns offset of the first damaged record that a later batch follows */
export function findDamage(log: Buffer): number | undefined {
  let damaged: number | undefined
  let at = 0
  while (at + HEADER <= log.length) {
    const room = BLOCK - (at % BLOCK)
    if (room < HEADER) {
      at += room
      continue
    }
    const length = recordLength(log, at, room)
    if (length === undefined) {
      damaged ??= at
      // The length may be what is damaged: the next record can begin at any byte.
      at++
      continue
    }
    if (damaged !== undefined && startsBatch(log, at)) return damaged
    at += length
  }
  return undefined
}

function startsBatch(log: Buffer, at: number): boolean {
  return log[at + 6] === FULL || log[at + 6] === FIRST
}

/** @returns length with its header of an intact record at `at`, undefined when there is none */
function recordLength(log: Buffer, at: number, room: number): number | undefined {
  const type = log[at + 6] ?? 0
  const end = at + HEADER + log.readUInt16LE(at + 4)
  if (type < FULL || type > LAST || end > at + room || end > log.length) return undefined
  return unmask(log.readUInt32LE(at)) === crc32c(log, at + 6, end) ? end - at : undefined
}

/** LevelDB rotates and shifts a stored CRC, since a CRC over bytes that hold CRCs is weak. */
function unmask(stored: number): number {
  const rotated = (stored - 0xa282ead8) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc >>> 0
})

/** CRC-32C (Castagnoli), which Node does not have. */
function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffff_ffff
  for (let i = from; i < to; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffff_ffff) >>> 0
}
