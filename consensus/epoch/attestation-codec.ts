import type { Codec } from '../../protocols/shared/codec.ts'
import { compareBytes, equalBytes } from '../light/bytes.ts'
import {
  ascending,
  bytes,
  cellName,
  cidBytes,
  complex,
  defineCanonical,
  key,
  keys,
  listOf,
  orNull,
  record,
  signature,
  tuple,
  whole,
} from './fields.ts'
import { MAX_ATTESTATION_BYTES, MAX_CELL_MEMBERS, MAX_CELL_VALIDATORS, MAX_REVOKED_AT_ONCE } from './limits.ts'
import type { Attestation } from './types.ts'

export type MemberSignature = readonly [member: Uint8Array, signature: Uint8Array]

export interface SignedAttestation {
  /** bytes of the attestation: what is signed under `kairos/bft/attestation/1` */
  readonly a: Uint8Array
  /** in the order of the keys */
  readonly s: readonly MemberSignature[]
}

/** ≤ 16 KiB */
export const attestationCodec: Codec<Attestation> = defineCanonical(
  'cell attestation',
  MAX_ATTESTATION_BYTES / 2,
  record<Attestation>({
    mesh: cidBytes,
    cell: cellName,
    epoch: whole(),
    index: whole(),
    root: bytes(36),
    t: orNull(complex),
    members: keys(MAX_CELL_MEMBERS),
    validators: keys(MAX_CELL_VALIDATORS),
    revoked: keys(MAX_REVOKED_AT_ONCE),
  }),
)

/** ≤ 32 KiB: as it travels and stands in a block. */
export const signedAttestationCodec: Codec<SignedAttestation> = defineCanonical(
  'signed cell attestation',
  MAX_ATTESTATION_BYTES,
  record<SignedAttestation>({
    a: bytes(1, MAX_ATTESTATION_BYTES),
    s: ascending(listOf(tuple<MemberSignature>(key, signature), MAX_CELL_MEMBERS), (a, b) => compareBytes(a[0], b[0])),
  }),
)

export interface OpenedAttestation {
  readonly attestation: Attestation
  readonly body: Uint8Array
  readonly signatures: readonly MemberSignature[]
}

/** @returns a code when the bytes are no attestation of this mesh; the signatures are not checked here */
export function openAttestation(mesh: Uint8Array, bytes: Uint8Array): OpenedAttestation | string {
  try {
    const { a, s } = signedAttestationCodec.decode(bytes)
    const attestation = attestationCodec.decode(a)
    return equalBytes(attestation.mesh, mesh) ? { attestation, body: a, signatures: s } : 'E_ATTESTATION_MESH'
  } catch {
    return 'E_ATTESTATION_MALFORMED'
  }
}
