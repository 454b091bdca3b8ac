import type { PeerId } from '@libp2p/interface'
import type { Cell } from '../../consensus/cell/index.ts'
import { memberByRaftId } from '../../consensus/state/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { clock } from './clock.ts'
import type { Commands } from './commands.ts'
import { memberRows } from './documents.ts'
import type { CellServiceInit } from './init.ts'
import type { CellMachine } from './machine.ts'
import type { CellStores } from './open.ts'
import { certifiedName, hasVote, standing } from './record.ts'
import type { CellMemberRow, CellService } from './types.ts'
import type { Addressee } from './wire.ts'

export const READ_TIMEOUT_MS = 5_000

export interface VerbsInit {
  membership: Pick<CellServiceInit['membership'], 'self' | 'member'>
  machine: CellMachine
  stores: Pick<CellStores, 'blocks'>
  /** Undefined while this node has no raft id. */
  cell: () => Cell | undefined
  /** @throws {CodedError} the reason why this node takes no part */
  running: () => { cell: Cell; commands: Commands }
  /** Resolves when a member may lose its vote; never rejects. */
  release: (peerId: string) => Promise<unknown>
}

/** What is asked of the cell through this node. */
export class CellVerbs implements Omit<CellService, 'name' | 'start' | 'stop' | 'status' | 'observe'> {
  readonly #init: VerbsInit

  constructor(init: VerbsInit) {
    this.#init = init
  }

  async members({ stale = false }: { stale?: boolean } = {}): Promise<CellMemberRow[]> {
    const { cell, membership, running } = this.#init
    if (!stale) await running().cell.read(READ_TIMEOUT_MS)
    return memberRows(cell(), this.#tree, membership.self.peerId, (peerId) => this.#nameOf(peerId))
  }

  async transfer(to?: string): Promise<{ leader: string }> {
    const { cell } = this.#init.running()
    await cell.read(READ_TIMEOUT_MS)
    const member = to === undefined ? undefined : this.#members().find(({ peerId }) => peerId === to)
    if (to !== undefined && member === undefined) throw unknownMember(to)
    const before = cell.status.leader
    if (cell.status.role !== 'leader') {
      throw new CodedError('E_CELL_NOT_LEADER', 'only the leader hands its leadership over', {
        hint: `run the command on ${this.#nameOf(this.#leaderOf(cell)) || 'the leader'}`,
      })
    }
    if (member?.id === before || cell.configuration.voters.length === 1) throw nobodyElse()
    cell.transfer(member?.id)
    await until(() => cell.status.leader !== 0 && cell.status.leader !== before, 'nobody took the leadership over')
    return { leader: this.#leaderOf(cell) }
  }

  async snapshot(): Promise<{ index: number; root: string }> {
    const index = await this.#init.running().cell.snapshot()
    const kept = (await this.#init.stores.blocks.snapshots()).find((snapshot) => snapshot.index === index)
    return { index, root: kept?.root.toString() ?? '' }
  }

  async remove(peerId: string, reason: string): Promise<void> {
    const { membership, running } = this.#init
    const { cell, commands } = running()
    await cell.read(READ_TIMEOUT_MS)
    const isMember = this.#members().some((member) => member.peerId === peerId)
    if (!isMember && membership.member(peerId) === undefined) throw unknownMember(peerId)
    const by = membership.self.peerId
    // Once revoked it is hung up on, and of two that decide together it can no longer give its vote away.
    if (isMember) await this.#takeVote(peerId, reason)
    await commands.submit({ type: 'certificate-revoke', peerId, by, reason })
  }

  async leave(): Promise<void> {
    await this.#takeVote(this.#init.membership.self.peerId, 'left')
  }

  async setLabel(peerId: string, key: string, value: string | null): Promise<void> {
    await this.#init.running().commands.submit({ type: 'label-set', peerId, key, value })
  }

  async drain(peerId: string, on: boolean): Promise<void> {
    await this.#init.running().commands.submit({ type: 'member-drain', peerId, on })
  }

  /** Lets a node into the cell. @throws {CodedError} E_NO_QUORUM, E_OUTCOME_UNKNOWN, or as the state machine refuses */
  async admit(peer: PeerId, incarnation: Uint8Array): Promise<{ raftId: number; members: Addressee[] }> {
    const { commands } = this.#init.running()
    // The first to join gets the founder's id, and its vote.
    if (this.#members().length === 0)
      throw new CodedError('E_NO_QUORUM', 'the founder of the cell is not its member yet')
    const { raftId = 0 } = await commands.submit({ type: 'member-join', peerId: peer.toString(), incarnation })
    return { raftId, members: this.#members().map(({ id, peerId }) => ({ raftId: id, peerId })) }
  }

  get #tree() {
    return this.#init.machine.tree
  }

  #members() {
    return standing(this.#tree)
  }

  #nameOf(peerId: string): string {
    return this.#init.membership.member(peerId)?.name ?? certifiedName(this.#tree, peerId)
  }

  #leaderOf({ status }: Cell): string {
    return memberByRaftId(this.#tree, status.leader)?.peerId ?? ''
  }

  async #takeVote(peerId: string, reason: string): Promise<void> {
    const { cell, commands } = this.#init.running()
    if (this.#members().length > 1) await this.#init.release(peerId)
    const { raftId } = await commands.submit({ type: 'member-remove', peerId, reason })
    await until(() => raftId === undefined || !hasVote(cell.configuration, raftId), 'the vote was not handed over yet')
  }
}

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  const deadline = performance.now() + READ_TIMEOUT_MS
  while (!holds()) {
    if (performance.now() > deadline)
      throw new CodedError('E_TIMEOUT', otherwise, { hint: '`kairos members` shows who answers' })
    await new Promise<void>((resolve) => void clock.after(50, resolve))
  }
}

function nobodyElse(): CodedError {
  return new CodedError('E_INVALID_INPUT', 'this node leads, and nobody else is to take the leadership over', {
    hint: 'name another voter; `kairos members` lists them',
  })
}

function unknownMember(peerId: string): CodedError {
  const hint = '`kairos members` lists them'
  return new CodedError('E_MEMBER_UNKNOWN', `${peerId} is not a member of this cell`, { hint })
}
