import { crc32 } from 'node:zlib'
import { CodedError } from '../../protocols/shared/errors.ts'

/**
 * LevelDB stores a checksum per block but compares it only with options that its binding does not
 * offer, so a flipped bit would come back as data. Each value therefore carries the CRC-32 of key
 * and value in its last four bytes, checked on every read.
 */
const CHECKSUM_BYTES = 4

export function seal(key: Uint8Array, value: Uint8Array): Uint8Array {
  // From Node's pool: an own ArrayBuffer for each small record costs more than the record.
  const sealed = Buffer.allocUnsafe(value.byteLength + CHECKSUM_BYTES)
  sealed.set(value)
  viewOf(sealed).setUint32(value.byteLength, crc32(value, crc32(key)))
  return sealed
}

/** @throws {CodedError} E_STORAGE_CORRUPT */
export function unseal(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const length = sealed.byteLength - CHECKSUM_BYTES
  if (length >= 0) {
    const value = sealed.subarray(0, length)
    if (viewOf(sealed).getUint32(length) === crc32(value, crc32(key))) return value
  }
  throw new CodedError('E_STORAGE_CORRUPT', 'a record of the database does not match its checksum', {
    hint: 'the disk may be failing; restore the directory from a backup',
  })
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
