import { randomBytes } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { Cell, EngineRefusal } from '../../consensus/cell/index.ts'
import { memberOf, revocationOf } from '../../consensus/state/index.ts'
import type { RaftTransport } from '../../protocols/raft/index.ts'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import { loadRaft } from '../../wasm/raft/load.ts'
import { createAcquaintance } from './acquaintance.ts'
import { clock } from './clock.ts'
import { Commands } from './commands.ts'
import { cellDocument, memberRows } from './documents.ts'
import { LeaderDuties } from './duties.ts'
import type { CellServiceInit } from './init.ts'
import { joinCell } from './join.ts'
import { CellMachine, type Changes } from './machine.ts'
import { openCellStores, type CellStores } from './open.ts'
import { addressees, cellRecord, certifiedName, desiredMembers, hasVote, rootOf, standing } from './record.ts'
import type { CellMemberRow, CellService, CellStatusDocument } from './types.ts'
import { cellStreams, createWire } from './wire.ts'

const FOUNDED = 'founded'
const READ_TIMEOUT_MS = 5_000
const FOUNDER_ID = 1

/** This node's membership of its cell: durable stores, the wire, the engine and what the rest of the node asks. */
export class NodeCell implements CellService {
  readonly name = 'cell'
  readonly observe: CellService['observe'] = {}
  readonly #init: CellServiceInit
  readonly #log
  readonly #abort = new AbortController()
  readonly #acquaintance
  readonly #counters = { leaderChanges: 0, traps: 0, refusedMessages: 0 }
  #stores!: CellStores
  #machine!: CellMachine
  #transport!: RaftTransport
  #cell: Cell | undefined
  #commands: Commands | undefined
  #problem: CodedError | undefined
  #leader = 0
  #duties: LeaderDuties | undefined
  #joining: Promise<void> = Promise.resolve()

  constructor(init: CellServiceInit) {
    this.#init = init
    this.#log = init.log.forComponent('kairos:cell')
    this.#acquaintance = createAcquaintance({ libp2p: init.libp2p, members: () => this.#others() })
  }

  async start(): Promise<void> {
    const { directory, membership, onFatal } = this.#init
    const { meshId, self } = membership
    this.#stores = await openCellStores({
      directory,
      meshId,
      cell: self.cell,
      peerId: self.peerId,
      onFatal,
      onFlush: ({ durationMs: ms, bytes, entries }) => this.observe.onFlush?.({ ms, bytes, entries }),
    })
    for (const error of this.#stores.renewed) this.#log.warn('a store of the cell is begun anew', { error })
    const { state, blocks } = this.#stores
    this.#machine = await CellMachine.open({ state, blocks, onChanges: (changes) => this.#changed(changes) })
    this.#transport = createWire({
      libp2p: this.#init.libp2p,
      log: this.#init.log,
      judge: this.#init.judge,
      stores: this.#stores,
      cell: () => this.#cell,
      raftIdOf: (peer) => (this.#isOfCell(peer) ? (this.#standingOf(peer)?.id ?? 0) : undefined),
      admit: (peer, incarnation) => this.#admit(peer, incarnation),
    })
    await this.#transport.start()
    this.#transport.members(this.#peersById())
    this.#init.libp2p.addEventListener('peer:connect', this.#onConnect)
    await this.#acquaintance.start()
    if (await this.#mayFound()) await this.#found()
    else if (this.#stores.log.raftId > 0) await this.#run(this.#stores.log.raftId)
    else this.#joining = this.#join()
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#acquaintance.stop()
    this.#init.libp2p.removeEventListener('peer:connect', this.#onConnect)
    await this.#joining
    await this.#cell?.stop()
    // What cannot be written any more has stopped the node already, and the log has it.
    await (this.#machine as CellMachine | undefined)?.close().catch(() => undefined)
    await (this.#transport as RaftTransport | undefined)?.stop()
    await (this.#stores as CellStores | undefined)?.close()
  }

  get status(): CellStatusDocument {
    const { membership, libp2p } = this.#init
    const connected = new Set(libp2p.getPeers().map(String))
    return {
      ...cellDocument({
        cell: this.#cell,
        tree: this.#machine.tree,
        self: membership.self,
        connected,
        raftId: this.#stores.log.raftId,
        problem: this.#problem,
      }),
      stateRoot: rootOf(this.#machine.tree),
      renewed: this.#stores.renewed.map(({ message }) => message),
      counters: { ...this.#counters },
    }
  }

  async members({ stale = false }: { stale?: boolean } = {}): Promise<CellMemberRow[]> {
    if (!stale) await this.#running().cell.read(READ_TIMEOUT_MS)
    return memberRows(this.#cell, this.#machine.tree, this.#init.membership.self.peerId, (peerId) =>
      this.#nameOf(peerId),
    )
  }

  async transfer(to?: string): Promise<{ leader: string }> {
    const { cell } = this.#running()
    await cell.read(READ_TIMEOUT_MS)
    const member = to === undefined ? undefined : standing(this.#machine.tree).find(({ peerId }) => peerId === to)
    if (to !== undefined && member === undefined) throw unknownMember(to)
    const before = cell.status.leader
    if (cell.status.role !== 'leader') {
      throw new CodedError('E_CELL_NOT_LEADER', 'only the leader hands its leadership over', {
        hint: `run the command on ${this.#nameOf(this.status.leader ?? '') || 'the leader'}`,
      })
    }
    cell.transfer(member?.id)
    await this.#until(
      () => cell.status.leader !== 0 && cell.status.leader !== before,
      'nobody took the leadership over',
    )
    return { leader: this.status.leader ?? '' }
  }

  async snapshot(): Promise<{ index: number; root: string }> {
    const index = await this.#running().cell.snapshot()
    const kept = (await this.#stores.blocks.snapshots()).find((snapshot) => snapshot.index === index)
    return { index, root: kept?.root.toString() ?? '' }
  }

  async remove(peerId: string, reason: string): Promise<void> {
    const { cell, commands } = this.#running()
    await cell.read(READ_TIMEOUT_MS)
    const isMember = standing(this.#machine.tree).some((member) => member.peerId === peerId)
    if (!isMember && this.#init.membership.member(peerId) === undefined) throw unknownMember(peerId)
    const by = this.#init.membership.self.peerId
    // Once revoked it is hung up on, and of two that decide together it can no longer give its vote away.
    if (isMember) await this.#takeVote(peerId, reason)
    await commands.submit({ type: 'certificate-revoke', peerId, by, reason })
  }

  async leave(): Promise<void> {
    await this.#takeVote(this.#init.membership.self.peerId, 'left')
  }

  async setLabel(peerId: string, key: string, value: string | null): Promise<void> {
    const { commands } = this.#running()
    await commands.submit({ type: 'label-set', peerId, key, value })
  }

  #nameOf(peerId: string): string {
    return this.#init.membership.member(peerId)?.name ?? certifiedName(this.#machine.tree, peerId)
  }

  async #takeVote(peerId: string, reason: string): Promise<void> {
    const { cell, commands } = this.#running()
    const { raftId } = await commands.submit({ type: 'member-remove', peerId, reason })
    await this.#until(
      () => raftId === undefined || !hasVote(cell.configuration, raftId),
      'the vote was not handed over yet',
    )
  }

  /** The first founder that genesis names for a cell begins it; the others and all later nodes join it. */
  async #mayFound(): Promise<boolean> {
    const { genesis, self } = this.#init.membership
    const operator = genesis.operators.find(({ cell }) => cell === self.cell)
    const first = operator?.founders.find(({ role }) => role === 'full')
    if (first?.peerId !== self.peerId) return false
    const wasFounded = (await this.#init.store.get(FOUNDED)) !== undefined
    return this.#stores.log.raftId === FOUNDER_ID || (this.#stores.log.raftId === 0 && !wasFounded)
  }

  async #found(): Promise<void> {
    if (this.#stores.log.raftId === 0) {
      await this.#init.store.put(FOUNDED, new Uint8Array([1]))
      await this.#stores.log.setRaftId(FOUNDER_ID)
    }
    await this.#run(FOUNDER_ID)
    const { peerId } = this.#init.membership.self
    if (memberOf(this.#machine.tree, peerId) !== undefined) return
    const { incarnation } = this.#stores.log
    await this.#running().commands.submit({ type: 'member-join', peerId, incarnation })
  }

  async #join(): Promise<void> {
    const { membership, libp2p } = this.#init
    const raftId = await joinCell({
      incarnation: this.#stores.log.incarnation,
      open: cellStreams(libp2p),
      members: () => libp2p.getPeers().filter((peer) => this.#isOfCell(peer) && !peer.equals(membership.self.peerId)),
      signal: this.#abort.signal,
      log: this.#log,
      onProblem: (problem) => (this.#problem = problem),
    })
    if (raftId === undefined || this.#abort.signal.aborted) return
    try {
      await this.#stores.log.setRaftId(raftId)
      await this.#run(raftId)
    } catch (error) {
      this.#init.onFatal(error)
    }
  }

  async #run(id: number): Promise<void> {
    const cell = await Cell.start({
      id,
      log: this.#stores.log,
      machine: this.#machine,
      transport: this.#transport,
      clock,
      loadEngine: () => loadRaft(),
      seed: randomBytes(6).readUIntBE(0, 6),
      nonce: randomBytes(8),
      desired: () => desiredMembers(this.#machine.tree, this.#cell?.configuration),
      events: {
        onStatus: ({ leader, role, term }) => {
          if (leader !== this.#leader && leader !== 0) {
            this.#counters.leaderChanges += 1
            this.#log.info('the cell has a leader', { leader, term, role })
          }
          this.#leader = leader
          this.observe.onChange?.()
        },
        onApplied: () => this.#cell && this.#duties?.run(this.#cell),
        onTrap: (cause) => {
          this.#counters.traps += 1
          this.#log.error('the Raft engine trapped; it is made anew from the log', { reason: messageOf(cause) })
        },
        onRefused: (count) => (this.#counters.refusedMessages += count),
        onFatal: (error) => this.#failed(error),
      },
    })
    this.#cell = cell
    this.#commands = new Commands(cell, (ms) => this.observe.onCommit?.(ms))
    this.#duties = new LeaderDuties(this.#machine, this.#commands, this.#log)
    this.#problem = undefined
    const { peerId } = this.#init.membership.self
    this.#init.onRecord(cellRecord(() => this.#machine.tree, this.#commands, peerId))
    // Admission knew nothing of the cell's word until now.
    for (const peer of this.#init.libp2p.getPeers()) this.#refuseRevoked(peer)
  }

  #failed(error: unknown): void {
    this.#problem = new CodedError(codeOf(error), messageOf(error), { cause: error })
    this.#init.onFatal(error instanceof EngineRefusal ? this.#problem : error)
  }

  #changed(changes: Changes): void {
    for (const [key, value] of changes) {
      if (key.startsWith('revoked/') && value !== null) this.#init.onRevoked(key.slice('revoked/'.length))
    }
    const isOfMembers = [...changes.keys()].some((key) => /^(member|raft|meta\/configuration)/.test(key))
    if (!isOfMembers) return
    this.#transport.members(this.#peersById())
    this.observe.onChange?.()
  }

  async #admit(peer: PeerId, incarnation: Uint8Array) {
    const { commands } = this.#running()
    const { raftId = 0 } = await commands.submit({ type: 'member-join', peerId: peer.toString(), incarnation })
    const members = standing(this.#machine.tree).map(({ id, peerId }) => ({ raftId: id, peerId }))
    return { raftId, members }
  }

  #onConnect = ({ detail }: CustomEvent<PeerId>): void => {
    this.#refuseRevoked(detail)
    this.#transport.connected(detail)
  }

  #refuseRevoked(peer: PeerId): void {
    if (revocationOf(this.#machine.tree, peer.toString()) !== undefined) this.#init.onRevoked(peer.toString())
  }

  /** A full node of this cell that nobody has put out. */
  #isOfCell(peer: PeerId): boolean {
    const member = this.#init.membership.member(peer)
    return member?.cell === this.#init.membership.self.cell && member.role === 'full'
  }

  #standingOf(peer: PeerId) {
    const member = memberOf(this.#machine.tree, peer.toString())
    return member?.status === 'removed' ? undefined : member
  }

  #others(): string[] {
    const peerIds = standing(this.#machine.tree).map(({ peerId }) => peerId)
    return peerIds.filter((peerId) => peerId !== this.#init.membership.self.peerId)
  }

  #peersById(): Map<number, PeerId> {
    const { tree, configuration } = this.#machine
    return new Map(addressees(tree, configuration).map(({ id, peerId }) => [id, peerIdFromString(peerId)]))
  }

  /** @throws {CodedError} the reason why this node takes no part, E_NO_QUORUM */
  #running(): { cell: Cell; commands: Commands } {
    const [cell, commands] = [this.#cell, this.#commands]
    if (cell !== undefined && commands !== undefined && this.#problem === undefined) return { cell, commands }
    const reason = this.#problem?.message ?? 'this node is not a member of its cell yet'
    throw new CodedError('E_NO_QUORUM', reason, {
      hint: this.#problem?.hint ?? '`kairos cell status` tells how far it is',
    })
  }

  async #until(holds: () => boolean, otherwise: string): Promise<void> {
    const deadline = performance.now() + READ_TIMEOUT_MS
    while (!holds()) {
      if (performance.now() > deadline) throw new CodedError('E_TIMEOUT', otherwise)
      await new Promise<void>((resolve) => void clock.after(50, resolve))
    }
  }
}

function unknownMember(peerId: string): CodedError {
  const hint = '`kairos members` lists them'
  return new CodedError('E_MEMBER_UNKNOWN', `${peerId} is not a member of this cell`, { hint })
}
