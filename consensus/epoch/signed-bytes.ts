import type { VoteKind } from '../mesh/engine.ts'
import { concatBytes } from '../light/bytes.ts'

/** What a validator signs: the domain, one zero byte, then a body of these. A signature of one kind is worth nothing for another. */
export const DOMAIN = {
  vote: 'kairos/bft/vote/1',
  proposal: 'kairos/bft/proposal/1',
  extension: 'kairos/bft/extension/1',
  attestation: 'kairos/bft/attestation/1',
  governance: 'kairos/bft/governance/1',
} as const

/** Checks one signature by the one strict rule: as `protocols/shared/signature.ts` has it. Never throws. */
export type Verify = (key: Uint8Array, domain: string, body: Uint8Array, signature: Uint8Array) => boolean

/** The same rule, answered later: many can be under way at once. */
export type VerifyAside = (...claim: Parameters<Verify>) => Promise<boolean>

export interface Signatures {
  readonly verify: Verify
  /** whether a key may sign at all: a canonical point outside the small-order subgroup */
  readonly isKey: (key: Uint8Array) => boolean
}

/** Stands in where more than 2/3 of the power have already checked: a certificate is their word for it. */
export const TRUSTED: Signatures = { verify: () => true, isKey: () => true }

/** mesh ‖ height u64 ‖ round u32 ‖ kind u8 ‖ 0 for no value, or 1 ‖ value */
export function voteBody(
  mesh: Uint8Array,
  vote: { height: number; round: number; kind: VoteKind; value: Uint8Array | undefined },
): Uint8Array {
  const kind = Uint8Array.of(vote.kind === 'prevote' ? 1 : 2)
  const value = vote.value === undefined ? [Uint8Array.of(0)] : [Uint8Array.of(1), vote.value]
  return concatBytes(mesh, u64(vote.height), u32(vote.round), kind, ...value)
}

/** mesh ‖ height u64 ‖ round u32 ‖ polRound i32, −1 for none ‖ value */
export function proposalBody(
  mesh: Uint8Array,
  proposal: { height: number; round: number; polRound: number; value: Uint8Array },
): Uint8Array {
  return concatBytes(mesh, u64(proposal.height), u32(proposal.round), u32(proposal.polRound), proposal.value)
}

/** mesh ‖ height u64 ‖ round u32 ‖ value ‖ validator ‖ extension */
export function extensionBody(
  mesh: Uint8Array,
  of: { height: number; round: number; value: Uint8Array; validator: Uint8Array; extension: Uint8Array },
): Uint8Array {
  return concatBytes(mesh, u64(of.height), u32(of.round), of.value, of.validator, of.extension)
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value)
  return bytes
}
