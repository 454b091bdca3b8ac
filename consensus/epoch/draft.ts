import { equalBytes } from '../light/bytes.ts'
import { powersOf } from '../light/powers.ts'
import { MAX_MEMBERS, MAX_OUT, MAX_REVOKED, MAX_VALIDATORS } from './limits.ts'
import type { MeshState, Motion, Operator, Policy, Revocation } from './types.ts'

/** A state while one epoch is applied to it. */
export class Draft {
  readonly before: MeshState
  /** of the epoch that is applied */
  readonly height: number
  operators: readonly Operator[]
  policy: Policy
  motions: readonly Motion[]
  revoked: readonly Revocation[]
  out: readonly Uint8Array[]
  /** cell of the last attestation: one of a cell, in the order of the cells */
  lastAttested = ''

  constructor(before: MeshState) {
    this.before = before
    this.height = before.height + 1
    this.operators = before.operators
    this.policy = before.policy
    this.motions = before.motions
    this.revoked = before.revoked
    this.out = before.out
  }

  operator(cell: string): Operator | undefined {
    return this.operators.find((operator) => operator.cell === cell)
  }

  /** whose member the key is */
  ownerOf(key: Uint8Array): Operator | undefined {
    return this.operators.find(({ members }) => members.some((member) => equalBytes(member, key)))
  }

  isOut(key: Uint8Array): boolean {
    return this.out.some((each) => equalBytes(each, key))
  }

  isRevoked(key: Uint8Array, cell: string): boolean {
    return this.revoked.some((each) => each.cell === cell && equalBytes(each.subject, key))
  }

  putOut(key: Uint8Array): void {
    this.out = [...this.out, key].slice(-MAX_OUT)
  }

  revoke(cell: string, subjects: readonly Uint8Array[]): void {
    const fresh = subjects.filter((subject) => !this.isRevoked(subject, cell))
    if (fresh.length === 0) return
    const added = fresh.map((subject) => ({ subject, cell, height: this.height }))
    this.revoked = [...this.revoked, ...added]
    while (this.revoked.length > MAX_REVOKED) this.revoked = withoutOldest(this.revoked)
  }
}

/** Of the cell that has most, so that nobody makes others' be forgotten. */
function withoutOldest(revoked: readonly Revocation[]): Revocation[] {
  const counts = new Map<string, number>()
  for (const { cell } of revoked) counts.set(cell, (counts.get(cell) ?? 0) + 1)
  const most = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0]
  return revoked.toSpliced(
    revoked.findIndex(({ cell }) => cell === most),
    1,
  )
}

/** @returns the operators with this one in place of the one of its cell, or added; in the order of the cells */
export function withOperator(operators: readonly Operator[], operator: Operator): Operator[] {
  const others = operators.filter(({ cell }) => cell !== operator.cell)
  return [...others, operator].sort((a, b) => (a.cell < b.cell ? -1 : 1))
}

/** Codes of the two ways in which operators cannot be a set. */
export interface SetCodes {
  /** nobody could decide anything any more */
  readonly last: string
  /** over the limit of members or validators */
  readonly full: string
}

/** @returns the code of why these operators cannot be: the last validator never goes, and lists have their limits */
export function problemOf(operators: readonly Operator[], { last, full }: SetCodes): string | undefined {
  if (!hasValidator(operators)) return last
  const members = operators.reduce((sum, operator) => sum + operator.members.length, 0)
  const validators = operators.reduce((sum, operator) => sum + operator.validators.length, 0)
  return members > MAX_MEMBERS || validators > MAX_VALIDATORS ? full : undefined
}

export function hasValidator(operators: readonly Operator[]): boolean {
  return operators.length > 0 && powersOf(operators).length > 0
}
