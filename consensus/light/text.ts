import { CodedError } from '../../protocols/shared/errors.ts'

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** Of a CID of 36 bytes, with the `b` of its base. */
const CID_CHARS = 59
/** Protobuf of a libp2p ed25519 key in an identity multihash. */
const PEER_PREFIX = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20]

/** @returns the text of a CID: base32, lower case */
export function cidText(bytes: Uint8Array): string {
  let [text, bits, waiting] = ['b', 0, 0]
  for (const byte of bytes) {
    waiting = (waiting << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(waiting >> (bits - 5)) & 31]
    waiting &= 31
  }
  return bits === 0 ? text : text + BASE32[(waiting << (5 - bits)) & 31]
}

/** @returns the 36 bytes of a CID in that text; undefined for any other */
export function parseCid(text: string): Uint8Array | undefined {
  if (text.length !== CID_CHARS) return undefined
  const bytes = new Uint8Array(36)
  let [at, bits, waiting] = [0, 0, 0]
  for (const char of text.slice(1)) {
    waiting = ((waiting & 0xff) << 5) | BASE32.indexOf(char)
    bits += 5
    if (bits >= 8) bytes[at++] = (waiting >> (bits -= 8)) & 0xff
  }
  return cidText(bytes) === text ? bytes : undefined
}

/** An epoch that somebody trusted vouches for. */
export interface Checkpoint {
  readonly height: number
  /** of its header, 36 bytes */
  readonly cid: Uint8Array
}

/**
 * @param text - `HEIGHT:CID`
 * @throws {CodedError} E_LIGHT_CHECKPOINT_TEXT
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [, digits, cidPart = ''] = /^([1-9]\d{0,14}):(\w+)$/.exec(text) ?? []
  const cid = parseCid(cidPart)
  if (digits !== undefined && cid !== undefined) return { height: Number(digits), cid }
  throw new CodedError('E_LIGHT_CHECKPOINT_TEXT', 'a checkpoint is HEIGHT:CID of an epoch', {
    hint: 'ask somebody you trust for the output of `kairos epoch ls`',
  })
}

/** @returns the raw ed25519 key in a peer id; undefined when it is none */
export function keyOfPeerId(text: string): Uint8Array | undefined {
  // The first byte of a peer id is zero, which base 58 writes as one `1`.
  if (text.length > 64 || !/^1[^1]/.test(text)) return undefined
  let value = 0n
  for (const char of text) {
    const digit = BASE58.indexOf(char)
    if (digit < 0) return undefined
    value = value * 58n + BigInt(digit)
  }
  const bytes = new Uint8Array(38)
  for (let i = 37; i >= 0; i--, value >>= 8n) bytes[i] = Number(value & 0xffn)
  return value === 0n && PEER_PREFIX.every((byte, i) => bytes[i] === byte) ? bytes.subarray(6) : undefined
}
