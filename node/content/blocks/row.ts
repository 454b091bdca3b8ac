import { decode, encode, encodingLength } from 'uint8-varint'
import { CodedError } from '../../../protocols/shared/errors.ts'

const VERSION = 1

/** What the index knows of one block. */
export interface Row {
  bytes: number
  /** In the index's own database; else in a file. */
  packed: boolean
  /** Codecs under which it was put, the first first; none when only its file was found. */
  codecs: readonly number[]
}

/** Varints: version, packed (1) or file (0), bytes, codecs. */
export function encodeRow({ bytes, packed, codecs }: Row): Uint8Array {
  const numbers = [VERSION, packed ? 1 : 0, bytes, ...codecs]
  const encoded = new Uint8Array(numbers.reduce((sum, number) => sum + encodingLength(number), 0))
  let at = 0
  for (const number of numbers) {
    encode(number, encoded, at)
    at += encodingLength(number)
  }
  return encoded
}

/** @throws {CodedError} E_DATA_VERSION */
export function decodeRow(encoded: Uint8Array): Row {
  const [version, packed, bytes = 0, ...codecs] = numbersOf(encoded)
  if (version !== VERSION) {
    throw new CodedError('E_DATA_VERSION', `the index of the block store has a row of version ${version}`, {
      hint: 'install the release that wrote it again; data is never downgraded',
    })
  }
  return { bytes, packed: packed === 1, codecs }
}

function numbersOf(encoded: Uint8Array): number[] {
  const numbers: number[] = []
  for (let at = 0; at < encoded.byteLength; at += encodingLength(numbers.at(-1)!)) numbers.push(decode(encoded, at))
  return numbers
}
