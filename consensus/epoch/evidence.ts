import { equalBytes } from '../light/bytes.ts'
import { hasValidator, type Draft } from './draft.ts'
import { evidenceCodec, isSigned } from './evidence-codec.ts'
import { EVIDENCE_HEIGHTS } from './limits.ts'
import type { Signatures } from './signed-bytes.ts'
import type { Evidence } from './types.ts'
import { powerOf } from './validators.ts'

/** Who voted twice is out for good, by policy, if a validator remains. @returns a code when the evidence is void */
export function applyEvidence(draft: Draft, bytes: Uint8Array, { verify }: Signatures): string | undefined {
  const evidence = read(bytes)
  if (evidence === undefined) return 'E_EVIDENCE_MALFORMED'
  const { validator, height } = evidence
  if (height >= draft.height || height < draft.height - EVIDENCE_HEIGHTS) return 'E_EVIDENCE_HEIGHT'
  if (draft.isOut(validator)) return 'E_EVIDENCE_KNOWN'
  if (!isConcerned(draft, validator)) return 'E_EVIDENCE_STRANGER'
  if (!isSigned(draft.before.mesh, evidence, verify)) return 'E_EVIDENCE_SIGNATURE'
  if (draft.policy.doubleVote === 'remove') remove(draft, validator)
  return undefined
}

function read(bytes: Uint8Array): Evidence | undefined {
  try {
    return evidenceCodec.decode(bytes)
  } catch {
    return undefined
  }
}

function isConcerned({ before, ...draft }: Draft, key: Uint8Array): boolean {
  const isMember = draft.operators.some(({ members }) => members.some((member) => equalBytes(member, key)))
  return isMember || powerOf(before.validators, key) > 0 || powerOf(before.nextValidators, key) > 0
}

function remove(draft: Draft, key: Uint8Array): void {
  const without = (keys: readonly Uint8Array[]): Uint8Array[] => keys.filter((each) => !equalBytes(each, key))
  const operators = draft.operators.map((operator) => ({
    ...operator,
    members: without(operator.members),
    validators: without(operator.validators),
  }))
  if (!hasValidator(operators)) return
  draft.operators = operators
  draft.putOut(key)
}
