import type { Codec } from '../../protocols/shared/codec.ts'
import type { CommitCertificate } from '../mesh/engine.ts'
import { compareBytes } from '../light/bytes.ts'
import { ascending, bytes, cidBytes, defineCanonical, key, listOf, refuse, signature, tuple, whole } from './fields.ts'
import {
  MAX_CERTIFICATE_BYTES,
  MAX_EXTENSION_BYTES,
  MAX_ROUND,
  MAX_TIME,
  MAX_VALIDATORS,
  NAMED_BYTES,
} from './limits.ts'
import type { Extension } from './types.ts'

type Signed = CommitCertificate['signatures'][number]

const plain = tuple<readonly [Uint8Array, Uint8Array]>(key, signature)
const extended = tuple<readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]>(
  key,
  signature,
  bytes(0, MAX_EXTENSION_BYTES),
  signature,
)

function readSigned(value: unknown): Signed {
  if (!Array.isArray(value) || value.length !== 4) {
    const [validator, signature] = plain(value)
    return { validator, signature }
  }
  const [validator, signature, bytes, by] = extended(value)
  return { validator, signature, extension: { bytes, signature: by } }
}

const fields = tuple<readonly [number, number, Uint8Array, Signed[]]>(
  whole(1),
  whole(0, MAX_ROUND),
  cidBytes,
  ascending(listOf(readSigned, MAX_VALIDATORS), (a, b) => compareBytes(a.validator, b.validator)),
)

export function readCertificate(value: unknown): CommitCertificate {
  const [height, round, cid, signatures] = fields(value)
  return { height, round, value: cid, signatures }
}

export function writeCertificate({ height, round, value, signatures }: CommitCertificate): unknown {
  const signed = signatures.map(({ validator, signature, extension }) =>
    extension === undefined ? [validator, signature] : [validator, signature, extension.bytes, extension.signature],
  )
  return [height, round, value, signed]
}

/** ≤ 456 KiB: [height, round, value, [key, signature] or [key, signature, extension, its signature] in order of the keys]. */
export const certificateCodec: Codec<CommitCertificate> = defineCanonical(
  'commit certificate',
  MAX_CERTIFICATE_BYTES,
  readCertificate,
  writeCertificate,
)

/** ≤ 64 KiB: [clock, numbers (u16) and digests (32) of reports in one string]: a thousand names are one item to decode. */
export const extensionCodec: Codec<Extension> = defineCanonical(
  'vote extension',
  MAX_EXTENSION_BYTES,
  (value) => {
    const [time, packed] = tuple<readonly [number, Uint8Array]>(
      whole(0, MAX_TIME),
      bytes(0, MAX_EXTENSION_BYTES),
    )(value)
    return { time, reports: unpack(packed) }
  },
  ({ time, reports }) => [time, pack(reports)],
)

function pack(reports: Extension['reports']): Uint8Array {
  const packed = new Uint8Array(reports.length * NAMED_BYTES)
  const view = new DataView(packed.buffer)
  reports.forEach(([reporter, digest], at) => {
    view.setUint16(at * NAMED_BYTES, reporter)
    packed.set(digest, at * NAMED_BYTES + 2)
  })
  return packed
}

/** Strictly ascending as strings of bytes, and no reporter more than twice. */
function unpack(packed: Uint8Array): Extension['reports'] {
  if (packed.length % NAMED_BYTES !== 0) refuse('not a whole number of names')
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const reports: [number, Uint8Array][] = []
  for (let at = 0; at < packed.length; at += NAMED_BYTES) {
    const reporter = view.getUint16(at)
    const digest = packed.subarray(at + 2, at + NAMED_BYTES)
    const last = reports.at(-1)
    const isAfter =
      last === undefined || last[0] < reporter || (last[0] === reporter && compareBytes(last[1], digest) < 0)
    if (!isAfter || reports.at(-2)?.[0] === reporter) refuse('names not in order, or one reporter thrice')
    reports.push([reporter, digest])
  }
  return reports
}

/** @returns undefined when the bytes are no extension */
export function readExtension(bytes: Uint8Array): Extension | undefined {
  try {
    return extensionCodec.decode(bytes)
  } catch {
    return undefined
  }
}
