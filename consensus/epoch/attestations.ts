import { equalBytes } from '../light/bytes.ts'
import { openAttestation, type OpenedAttestation } from './attestation-codec.ts'
import { problemOf, withOperator, type Draft } from './draft.ts'
import { DOMAIN, type Signatures } from './signed-bytes.ts'
import type { Attestation, Operator } from './types.ts'
import { includesKey } from './validators.ts'

const SET_CODES = { last: 'E_ATTESTATION_LAST', full: 'E_ATTESTATION_FULL' }

/** A cell's own word about itself. @returns a code when it is not taken */
export function applyAttestation(draft: Draft, bytes: Uint8Array, signatures: Signatures): string | undefined {
  const opened = openAttestation(draft.before.mesh, bytes)
  if (typeof opened === 'string') return opened
  const { attestation } = opened
  const operator = draft.operator(attestation.cell)
  if (operator === undefined) return 'E_ATTESTATION_CELL'
  if (attestation.cell <= draft.lastAttested) return 'E_EPOCH_ORDER'
  if (attestation.epoch >= draft.height) return 'E_ATTESTATION_EPOCH'
  if (!isNewer(attestation, operator)) return 'E_ATTESTATION_STALE'
  const { epoch, index, root, t, members, validators } = attestation
  const next: Operator = { ...operator, members, validators, attested: { epoch, index, root, t } }
  return (
    problemOfKeys(draft, attestation, operator, signatures) ??
    problemOf(withOperator(draft.operators, next), SET_CODES) ??
    problemOfSigners(opened, operator, signatures) ??
    take(draft, next, attestation)
  )
}

function take(draft: Draft, next: Operator, { cell, revoked }: Attestation): undefined {
  draft.operators = withOperator(draft.operators, next)
  draft.revoke(cell, revoked)
  draft.lastAttested = cell
}

function isNewer({ epoch, index }: Attestation, { attested }: Operator): boolean {
  return attested === undefined || epoch > attested.epoch || (epoch === attested.epoch && index > attested.index)
}

function problemOfKeys(
  draft: Draft,
  { cell, members, validators, revoked }: Attestation,
  operator: Operator,
  { isKey }: Signatures,
): string | undefined {
  if (validators.length > draft.policy.maxValidators) return 'E_ATTESTATION_VALIDATORS'
  if (!validators.every((key) => includesKey(members, key))) return 'E_ATTESTATION_VALIDATORS'
  for (const key of members) {
    if (draft.isOut(key) || draft.isRevoked(key, cell) || includesKey(revoked, key)) return 'E_ATTESTATION_REVOKED'
    const owner = draft.ownerOf(key)
    if (owner !== undefined && owner.cell !== cell) return 'E_ATTESTATION_TAKEN'
    // One key that no engine takes would stop the mesh.
    if (!includesKey(operator.members, key) && !isKey(key)) return 'E_ATTESTATION_KEY'
  }
  return undefined
}

/** More than half of the members that the record has, whom the attestation may be about to replace. */
function problemOfSigners(
  { body, signatures }: OpenedAttestation,
  { members }: Operator,
  { verify }: Signatures,
): string | undefined {
  if (!signatures.every(([key]) => members.some((member) => equalBytes(member, key)))) return 'E_ATTESTATION_STRANGER'
  if (signatures.length * 2 <= members.length) return 'E_ATTESTATION_MAJORITY'
  const areValid = signatures.every(([key, signature]) => verify(key, DOMAIN.attestation, body, signature))
  return areValid ? undefined : 'E_ATTESTATION_SIGNATURE'
}
