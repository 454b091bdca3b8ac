import { problemOf, withOperator, type Draft } from './draft.ts'
import { MAX_OPERATORS, MAX_TOTAL_WEIGHT } from './limits.ts'
import type { Signatures } from './signed-bytes.ts'
import type { Change, Operator, Policy } from './types.ts'

/** With fewer operators nobody can stay under a third. */
const OPERATORS_TO_TOLERATE_ONE = 4
const SET_CODES = { last: 'E_GOVERNANCE_LAST', full: 'E_GOVERNANCE_FULL' }

export interface Changed {
  readonly operators: readonly Operator[]
  readonly policy: Policy
}

/** @returns what a change makes of the set and the policy, or the code of why it cannot */
export function changed(draft: Draft, change: Change, signatures: Signatures): Changed | string {
  if (change.type === 'policy-set') return changedPolicy(draft, change.policy)
  const operators = change.type === 'operator-set' ? set(draft, change, signatures) : removed(draft, change.cell)
  if (typeof operators === 'string') return operators
  return problemOfWeights(operators) ?? problemOf(operators, SET_CODES) ?? { operators, policy: draft.policy }
}

function changedPolicy({ operators, policy }: Draft, some: Partial<Policy>): Changed | string {
  const next = { ...policy, ...some }
  if (next.idleEpochMs < next.epochMs) return 'E_GOVERNANCE_POLICY'
  const fit = (operator: Operator): Operator =>
    operator.validators.length <= next.maxValidators
      ? operator
      : { ...operator, validators: operator.validators.slice(0, next.maxValidators) }
  return { operators: operators.map(fit), policy: next }
}

function set(
  draft: Draft,
  { name, cell, weight, members }: Extract<Change, { type: 'operator-set' }>,
  { isKey }: Signatures,
): readonly Operator[] | string {
  const known = draft.operator(cell)
  if (draft.operators.some((other) => other.name === name && other.cell !== cell)) return 'E_GOVERNANCE_NAME'
  if (known !== undefined) {
    // Its members are its own word, in attestations.
    if (members.length > 0) return 'E_GOVERNANCE_MEMBERS'
    return withOperator(draft.operators, { ...known, name, weight })
  }
  if (members.length === 0) return 'E_GOVERNANCE_MEMBERS'
  if (draft.operators.length >= MAX_OPERATORS) return 'E_GOVERNANCE_FULL'
  const isFree = (key: Uint8Array): boolean => draft.ownerOf(key) === undefined && !draft.isOut(key) && isKey(key)
  if (!members.every((key) => isFree(key) && !draft.isRevoked(key, cell))) return 'E_GOVERNANCE_KEY'
  const validators = members.slice(0, draft.policy.maxValidators)
  return withOperator(draft.operators, { name, cell, weight, members, validators, attested: undefined })
}

function removed(draft: Draft, cell: string): readonly Operator[] | string {
  if (draft.operator(cell) === undefined) return 'E_GOVERNANCE_CELL'
  return draft.operators.filter((operator) => operator.cell !== cell)
}

function problemOfWeights(operators: readonly Operator[]): string | undefined {
  const total = operators.reduce((sum, { weight }) => sum + weight, 0)
  if (total >= MAX_TOTAL_WEIGHT) return 'E_GOVERNANCE_WEIGHT'
  if (operators.length < OPERATORS_TO_TOLERATE_ONE) return undefined
  return operators.some(({ weight }) => weight * 3 >= total) ? 'E_GOVERNANCE_THIRD' : undefined
}
