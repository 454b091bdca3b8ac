import { base32 } from 'multiformats/bases/base32'
import { base58btc } from 'multiformats/bases/base58'
import { MAX_PIN_CID_CHARS } from './limits.ts'

const FORM = /^(Qm[1-9A-HJ-NP-Za-km-z]{44}|b[a-z2-7]+)$/
const SHA2_256 = 0x12

/**
 * Whether a text is a CID in its one spelling: version 0 in base58, version 1 in lower-case base32, numbers in their
 * shortest form. Which codecs and hashes there are is not looked at, since releases differ in it.
 */
export function isPinCid(value: string): boolean {
  if (value.length > MAX_PIN_CID_CHARS || !FORM.test(value)) return false
  try {
    return value.startsWith('b') ? isVersion1(base32.decode(value)) : isVersion0(base58btc.baseDecode(value))
  } catch {
    return false
  }
}

function isVersion0(bytes: Uint8Array): boolean {
  return bytes.byteLength === 34 && bytes[0] === SHA2_256 && bytes[1] === 32
}

function isVersion1(bytes: Uint8Array): boolean {
  if (bytes[0] !== 1) return false
  const hash = afterVarint(bytes, 1)
  const length = afterVarint(bytes, hash)
  const digest = afterVarint(bytes, length)
  return digest === length + 1 && bytes.byteLength - digest === bytes[length]
}

/** @throws RangeError for a number that is cut off, over 9 bytes, or not in its shortest form (multiformats varint) */
function afterVarint(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at]! >= 0x80 && at < start + 9) at++
  const last = bytes[at]
  if (last === undefined || last >= 0x80 || (last === 0 && at > start)) throw new RangeError('bad varint')
  return at + 1
}
