import { cellName, keys, oneOf, personName, record, refuse, whole, type Read } from './fields.ts'
import { MAX_CELL_VALIDATORS, MAX_FIRST_MEMBERS, MAX_TOTAL_WEIGHT } from './limits.ts'
import type { Change, Policy } from './types.ts'

const policyFields: { readonly [K in keyof Policy]: Read<Policy[K]> } = {
  epochMs: whole(1, 86_400_000),
  idleEpochMs: whole(1, 864_000_000),
  trustingMs: whole(60_000, 31_536_000_000),
  collapseThreshold: whole(1, 2 ** 30 - 1),
  maxValidators: whole(1, MAX_CELL_VALIDATORS),
  doubleVote: oneOf('remove', 'note'),
}

export const readPolicy: Read<Policy> = record(policyFields)

const readSomePolicy: Read<Partial<Policy>> = (value) => {
  const names = Object.keys(value ?? {}).filter((name): name is keyof Policy => Object.hasOwn(policyFields, name))
  if (names.length === 0) refuse('a policy without a field')
  return record(Object.fromEntries(names.map((name) => [name, policyFields[name]])) as typeof policyFields)(value)
}

const operatorSet = record<Extract<Change, { type: 'operator-set' }>>({
  type: oneOf('operator-set'),
  name: personName,
  cell: cellName,
  weight: whole(1, MAX_TOTAL_WEIGHT - 1),
  members: keys(MAX_FIRST_MEMBERS),
})
const operatorRemove = record<Extract<Change, { type: 'operator-remove' }>>({
  type: oneOf('operator-remove'),
  cell: cellName,
})
const policySet = record<Extract<Change, { type: 'policy-set' }>>({
  type: oneOf('policy-set'),
  policy: readSomePolicy,
})

export const readChange: Read<Change> = (value) => {
  const type = (value as { type?: unknown } | null)?.type
  if (type === 'operator-set') return operatorSet(value)
  return type === 'operator-remove' ? operatorRemove(value) : policySet(value)
}
