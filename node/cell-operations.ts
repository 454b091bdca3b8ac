import { peerIdFromString } from '@libp2p/peer-id'
import { CodedError } from '../protocols/shared/errors.ts'
import { leaveCell } from './cell-leave.ts'
import type { CellService, CellStatusDocument } from './cell/types.ts'
import type { CellDocument, CellOperations, CellSummary } from './operations-cell.ts'
import type { Parts } from './parts.ts'

type CellParts = Pick<Parts, 'cell' | 'membership' | 'network' | 'config' | 'pins' | 'stop'>
type Names = (peerId: string) => string

/** The cell as the node's faces see it: names for peer ids, and a clear word where there is none. */
export function createCellOperations(parts: CellParts): CellOperations {
  const cell = (): CellService => {
    if (parts.cell === undefined) throw notHere(parts)
    return parts.cell
  }
  const nameOf = namesOf(parts)
  return {
    status: () => documentOf(cell().status, nameOf),
    members: async ({ stale }) => cell().members({ stale }),
    async remove(member, reason) {
      const peerId = await find(cell(), parts, member)
      if (peerId === parts.membership.self.peerId) throw itself()
      const removal = { peerId, name: nameOf(peerId), reason }
      await cell().remove(peerId, reason)
      return removal
    },
    async label(member, key, value) {
      const peerId = await find(cell(), parts, member)
      await cell().setLabel(peerId, key, value)
      return { peerId, name: nameOf(peerId), key, value }
    },
    async drain(member, on) {
      const peerId = await find(cell(), parts, member)
      await cell().drain(peerId, on)
      const row = (await cell().members({ stale: true })).find((one) => one.peerId === peerId)
      return { peerId, name: nameOf(peerId), draining: on, copies: row?.copies ?? 0 }
    },
    async transfer(to) {
      const wanted = to === undefined ? undefined : await find(cell(), parts, to)
      const { leader } = await cell().transfer(wanted)
      return { leader, name: nameOf(leader) }
    },
    snapshot: async () => cell().snapshot(),
    async *leave(options, signal) {
      yield* leaveCell(parts, cell(), options, signal)
    },
  }
}

/** One on a node of a cell, none on another. */
export function cellSummaries(parts: CellParts): CellSummary[] {
  if (parts.cell === undefined) return []
  const nameOf = namesOf(parts)
  const { cell: name, leader, voters, learners, ...status } = parts.cell.status
  const { role, term, commitIndex, appliedIndex, hasQuorum, problem } = status
  return [
    {
      name,
      role,
      leader: leader === null ? null : nameOf(leader),
      term,
      commitIndex,
      appliedIndex,
      voters: voters.map(nameOf),
      learners: learners.map(nameOf),
      hasQuorum,
      problem,
    },
  ]
}

/** Why the cell does not work here; empty where it does, or where there is none. */
export function cellReasons({ cell }: Pick<Parts, 'cell'>): string[] {
  if (cell === undefined) return []
  const { cell: name, role, leader, problem } = cell.status
  if (problem !== null) return [`cell ${name}: ${problem.message} (${problem.code})`]
  if (leader !== null) return []
  return [role === 'none' ? `this node has not joined cell ${name} yet` : `cell ${name} has no leader`]
}

/** @returns a name that is known, else the peer id itself */
export function namesOf({ membership }: Pick<Parts, 'membership'>): Names {
  return (peerId) => membership.member(peerId)?.name ?? peerId
}

function documentOf(status: CellStatusDocument, nameOf: Names): CellDocument {
  const { leader, voters, learners } = status
  const peers = [...(leader === null ? [] : [leader]), ...voters, ...learners]
  return { ...status, names: Object.fromEntries(peers.map((peerId) => [peerId, nameOf(peerId)])) }
}

/**
 * @param text - a peer id, which need not be known here, or a name: of the cell, else of the mesh
 * @throws {CodedError} E_MEMBER_UNKNOWN, E_INVALID_INPUT
 */
async function find(cell: CellService, { membership }: CellParts, text: string): Promise<string> {
  if (membership.member(text) !== undefined || isPeerId(text)) return text
  for (const members of [await cell.members({ stale: true }), membership.members()]) {
    const found = [...new Set(members.filter(({ name }) => name === text).map(({ peerId }) => peerId))]
    if (found.length > 1)
      throw new CodedError('E_INVALID_INPUT', `${found.length} nodes are named ${text}`, {
        hint: `give a peer id: ${found.join(' or ')}`,
      })
    if (found[0] !== undefined) return found[0]
  }
  throw new CodedError('E_MEMBER_UNKNOWN', `no node that is known here is named ${text}`, {
    hint: '`kairos members` lists the cell, `kairos peers` all others',
  })
}

function isPeerId(text: string): boolean {
  try {
    peerIdFromString(text)
    return true
  } catch {
    return false
  }
}

function itself(): CodedError {
  return new CodedError('E_INVALID_INPUT', 'a node does not remove itself: its key would be shut out for good', {
    hint: 'to hand over and go: `kairos leave`',
  })
}

function notHere({ membership }: CellParts): CodedError {
  const { role, cell } = membership.self
  const full = membership.members().filter((member) => member.role === 'full' && member.cell === cell)
  const whom = full.length === 0 ? 'a full node' : full.map(({ name }) => name).join(' or ')
  return new CodedError('E_NOT_IN_ROLE', `a ${role} node takes no part in the agreement of cell ${cell}`, {
    hint: `ask ${whom}: run the command there`,
  })
}
