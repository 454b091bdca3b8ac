import type { MotionDocument, Policy, ValidatorsDocument } from '../operations.ts'
import { counted, nameOr, point, share } from './epoch-text.ts'
import { humanDuration, list, printable, table } from './text.ts'

/** 2³⁰: I_c of the policy is in Q1.30. */
export const ONE_Q30 = 2 ** 30
/** Of a motion's id, in tables: enough to name it. */
const SHOWN_ID = 12

const HEADER = ['OPERATOR', 'CELL', 'WEIGHT', 'NODE', 'VOTES', 'POWER', 'CONNECTED', 'PEER', 'ATTESTED']

export function validatorsText(document: ValidatorsDocument): string {
  const { operators, total, toleratedFaults, height, policy, next, out, revoked } = document
  const faults = toleratedFaults === 0 ? 'none of them may lie' : `${toleratedFaults} of them may lie`
  const voting = operators.flatMap(({ members }) => members.filter(({ isValidator }) => isValidator)).length
  const facts: [string, string][] = [
    ['epoch', String(height)],
    ['who', `${counted(voting, 'validator')} of ${counted(operators.length, 'operator')}; ${faults}`],
    ['next', `${counted(next.validators.length, 'validator')} from epoch ${next.height} on`],
    ...policyPairs(policy),
    ...out.map((key): [string, string] => ['out for good', key]),
    ...revoked.map((row): [string, string] => ['revoked', `${row.peerId}, by cell ${row.cell} in epoch ${row.height}`]),
  ]
  return `${table(
    HEADER,
    operators.flatMap((operator) => operator.members.map((_, i) => columns(operator, i, total))),
  )}\n${list(facts)}`
}

type Operator = ValidatorsDocument['operators'][number]

/** What is said of the operator stands beside its first node. */
function columns(operator: Operator, index: number, total: number): string[] {
  const member = operator.members[index]!
  return [
    operator.name,
    operator.cell,
    String(operator.weight),
    `${nameOr(member.name, member.peerId)}${member.isSelf ? ' (this)' : ''}`,
    member.isValidator ? 'yes' : 'no',
    member.isValidator ? share(member.power, total) : '-',
    member.isSelf || member.isConnected ? 'yes' : 'no',
    member.peerId,
    index === 0 ? attestedText(operator) : '',
  ]
}

function attestedText({ attested }: Operator): string {
  if (attested === null) return '-'
  return `epoch ${attested.epoch}${attested.t === null ? '' : `, T_cell ${point(attested.t)}`}`
}

function policyPairs(policy: Policy): [string, string][] {
  const pace = `an epoch every ${pause(policy.epochMs)}, every ${pause(policy.idleEpochMs)} while nothing changes`
  return [
    ['pace', pace],
    ['trusting period', humanDuration(policy.trustingMs / 1000)],
    ['collapse', `at |T|² ${(policy.collapseThreshold / ONE_Q30).toFixed(3)}`],
    ['of one operator', `at most ${counted(policy.maxValidators, 'validator')}`],
    ['two votes', policy.doubleVote === 'remove' ? 'put a validator out for good' : 'are noted'],
  ]
}

function pause(ms: number): string {
  return ms < 100 ? `${ms} ms` : humanDuration(ms / 1000)
}

const MOTION_HEADER = ['MOTION', 'STATE', 'YES', 'NO', 'LAPSES AFTER', 'HOLDS FROM', 'CHANGE']

export function motionsText(motions: MotionDocument[]): string {
  return table(MOTION_HEADER, motions.map(motionColumns))
}

export function motionText(motion: MotionDocument): string {
  const { id, text, state, yes, no, holdsFrom, expires, opened, by } = motion
  return list([
    ['motion', id],
    ['change', printable(text)],
    ['moved by', `${by} in epoch ${opened}`],
    ['state', state === 'carried' ? `carried, holds from epoch ${holdsFrom}` : `open until epoch ${expires}`],
    ['votes', `${share(yes, 1)} for, ${share(no, 1)} against; more than 66.7 % carries it`],
  ])
}

function motionColumns({ id, state, yes, no, expires, holdsFrom, text }: MotionDocument): string[] {
  const from = holdsFrom === null ? '-' : String(holdsFrom)
  return [id.slice(0, SHOWN_ID), state, share(yes, 1), share(no, 1), String(expires), from, text]
}
