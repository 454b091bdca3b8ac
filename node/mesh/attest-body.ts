import {
  hex,
  MAX_MEMBERS,
  MAX_REVOKED,
  MAX_REVOKED_AT_ONCE,
  MAX_VALIDATORS,
  type Attestation,
  type MeshState,
  type Operator,
} from '../../consensus/epoch/index.ts'
import { compareBytes } from '../../consensus/light/bytes.ts'
import {
  attestedOf,
  memberOf,
  revocationOf,
  revocations,
  root,
  type Mark,
  type Tree,
} from '../../consensus/state/index.ts'
import { peerIdFromKey, strictKeyFrom } from '../../protocols/admission/index.ts'
import { standing } from '../cell/record.ts'

/** Of equal power: with fewer, nothing is decided without every one. */
const LEAST_TO_LOSE_ONE = 4

/** What a cell says of itself beside its state and its T. */
export type CellFacts = Pick<Attestation, 'members' | 'validators' | 'revoked'>

/**
 * What a cell says at one entry of its log, of the epoch that the entry names: the same bytes on every member.
 *
 * @param mark - the state with just that entry applied
 * @param state - the mesh's, after that epoch
 * @returns undefined where the cell has no operator in the record, or nobody to name
 */
export function attestationOf(cell: string, { tree, index }: Mark, state: MeshState): Attestation | undefined {
  const attested = attestedOf(tree)
  const facts = factsOf(cell, tree, state)
  if (attested === undefined || facts === undefined) return undefined
  const { epoch, t } = attested
  return { mesh: state.mesh, cell, epoch, index, root: root(tree).bytes, t, ...facts }
}

export function operatorOf(cell: string, { operators }: Pick<MeshState, 'operators'>): Operator | undefined {
  return operators.find((operator) => operator.cell === cell)
}

/** @returns undefined as {@link attestationOf} */
export function factsOf(cell: string, tree: Tree, state: MeshState): CellFacts | undefined {
  const operator = operatorOf(cell, state)
  if (operator === undefined) return undefined
  const others = state.operators.filter((one) => one !== operator)
  const known = state.revoked.filter((one) => one.cell === cell).map(({ subject }) => hex(subject))
  // What the record would refuse for one key or one too many, it refuses whole.
  const taken = others.flatMap(({ members }) => members.map(hex))
  const members = membersOf(tree, state.height, operator, new Set([...known, ...taken, ...state.out.map(hex)]))
  const kept = byRaftId(members).slice(0, MAX_MEMBERS - taken.length)
  if (kept.length === 0) return undefined
  const room = MAX_VALIDATORS - others.reduce((sum, { validators }) => sum + validators.length, 0)
  return {
    members: keysOf(kept),
    validators: keysOf(kept.slice(0, Math.min(room, state.policy.maxValidators, mostOf(kept.length, others.length)))),
    revoked: revokedOf(tree, new Set(known), Math.floor(MAX_REVOKED / state.operators.length)),
  }
}

/** Two or three that are alone would all be needed for a quorum: one is lost less often than one of three. */
function mostOf(members: number, others: number): number {
  return others === 0 && members < LEAST_TO_LOSE_ONE ? 1 : members
}

/** A recorded one has no raft id before it has come to its cell: then it is the last of all. */
interface Named {
  readonly key: Uint8Array
  readonly raftId: number
}

/**
 * Who votes in the cell, and who is recorded and was not put out: a founder that has not come yet, or a member that comes
 * back under another raft id, is no less one for it.
 */
function membersOf(tree: Tree, epoch: number, { members }: Operator, gone: ReadonlySet<string>): Named[] {
  const voters = standing(tree).filter(({ status }) => status === 'voter')
  const peerIds = new Set([...voters.map(({ peerId }) => peerId), ...members.map(peerIdFromKey)])
  return [...peerIds].flatMap((peerId) => {
    const key = strictKeyFrom(peerId)
    const member = memberOf(tree, peerId)
    const isLeaving = member?.leaving !== undefined && epoch < member.leaving
    const isOut = member?.status === 'removed' || revocationOf(tree, peerId) !== undefined || gone.has(hex(key))
    return isOut || isLeaving ? [] : [{ key, raftId: member?.id ?? Number.MAX_SAFE_INTEGER }]
  })
}

/**
 * Of those that the cell has put out, the earliest that the record does not name.
 *
 * @param most - that the record keeps of one cell: an earlier one that it gave up for later ones is not told again
 */
function revokedOf(tree: Tree, known: ReadonlySet<string>, most: number): Uint8Array[] {
  const all = [...revocations(tree)].sort((a, b) => a.time - b.time || (a.peerId < b.peerId ? -1 : 1))
  const named = all.slice(-most).map(({ peerId }) => ({ key: strictKeyFrom(peerId) }))
  return keysOf(named.filter(({ key }) => !known.has(hex(key))).slice(0, MAX_REVOKED_AT_ONCE))
}

function byRaftId(members: readonly Named[]): Named[] {
  return members.toSorted((a, b) => a.raftId - b.raftId || compareBytes(a.key, b.key))
}

function keysOf(members: readonly Pick<Named, 'key'>[]): Uint8Array[] {
  return members.map(({ key }) => key).sort(compareBytes)
}
