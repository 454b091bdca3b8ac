import { compareBytes, equalBytes } from '../light/bytes.ts'
import { powersOf } from '../light/powers.ts'
import type { Validator } from '../mesh/engine.ts'
import { applyAttestation } from './attestations.ts'
import { Draft } from './draft.ts'
import { applyEvidence } from './evidence.ts'
import { applyCommand, tally } from './governance.ts'
import { MAX_SUNDRY_BYTES } from './limits.ts'
import { reportersAfter } from './reports.ts'
import { cidOfSet } from './set-codec.ts'
import type { Signatures } from './signed-bytes.ts'
import type { EpochBlock, MeshState } from './types.ts'

export type Sundry = Pick<EpochBlock, 'attestations' | 'governance' | 'evidence'>

/** What an epoch does beside its reports. @returns a code when one of its parts is not valid: then none is */
export function transition(state: MeshState, sundry: Sundry, signatures: Signatures): Draft | string {
  const { attestations, governance, evidence } = sundry
  const all = [...attestations, ...governance, ...evidence]
  if (all.reduce((sum, bytes) => sum + bytes.byteLength, 0) > MAX_SUNDRY_BYTES) return 'E_EPOCH_TOO_LARGE'
  if (!isAscending(evidence)) return 'E_EPOCH_ORDER'
  const draft = new Draft(state)
  const code =
    firstCode(evidence, (bytes) => applyEvidence(draft, bytes, signatures)) ??
    firstCode(attestations, (bytes) => applyAttestation(draft, bytes, signatures)) ??
    firstCode(governance, (bytes) => applyCommand(draft, bytes, signatures))
  if (code !== undefined) return code
  tally(draft, signatures)
  return draft
}

/** @returns the state after the epoch whose parts have been applied */
export function settled(draft: Draft, header: { time: number; value: Uint8Array }): MeshState {
  const { before } = draft
  return {
    mesh: before.mesh,
    height: draft.height,
    time: header.time,
    head: header.value,
    operators: draft.operators,
    lastValidators: before.validators,
    validators: before.nextValidators,
    nextValidators: draft.operators === before.operators ? before.nextValidators : setOf(draft),
    reporters: reportersAfter(before),
    policy: draft.policy,
    motions: draft.motions,
    revoked: draft.revoked,
    out: draft.out,
  }
}

/** The very list where it is equal, so that what is known about it stays known. */
function setOf({ before, operators }: Draft): readonly Validator[] {
  const after = powersOf(operators)
  return equalBytes(cidOfSet(before.nextValidators), cidOfSet(after)) ? before.nextValidators : after
}

function isAscending(list: readonly Uint8Array[]): boolean {
  return list.every((each, at) => at === 0 || compareBytes(list[at - 1]!, each) < 0)
}

function firstCode<T>(list: readonly T[], apply: (each: T) => string | undefined): string | undefined {
  for (const each of list) {
    const code = apply(each)
    if (code !== undefined) return code
  }
  return undefined
}
