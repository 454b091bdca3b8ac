import { randomBytes } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { Cell, EngineRefusal, type EngineStatus } from '../../consensus/cell/index.ts'
import type { MeshState } from '../../consensus/epoch/types.ts'
import { FOUNDER_RAFT_ID, revocations } from '../../consensus/state/index.ts'
import type { RaftTransport } from '../../protocols/raft/index.ts'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import { loadRaft } from '../../wasm/raft/load.ts'
import { createAcquaintance } from './acquaintance.ts'
import { Beginning, type BeginningInit } from './beginning.ts'
import { clock } from './clock.ts'
import { Commands } from './commands.ts'
import { cellDocument } from './documents.ts'
import { LeaderDuties } from './duties.ts'
import { noteDivergence } from './halt.ts'
import type { CellServiceInit } from './init.ts'
import { CellMachine, type Changes } from './machine.ts'
import { openCellStores, type CellStores } from './open.ts'
import { CellPeers } from './peers.ts'
import { cellRecord, desiredMembers, rootOf } from './record.ts'
import { restoreOffer } from './restore.ts'
import { StateView } from './state-view.ts'
import type { CellService, CellStatusDocument } from './types.ts'
import { CellVerbs } from './verbs.ts'
import { cellStreams, createWire } from './wire.ts'

const HAND_OVER_MS = 1_000
const SLOW_FLUSH_MS = 500

/** This node's membership of its cell: durable stores, the wire, the engine and what the rest of the node asks. */
export class NodeCell implements CellService {
  readonly name = 'cell'
  readonly observe: CellService['observe'] = {}
  /** For services that start after this one. */
  readonly state = new StateView({
    machine: () => this.#machine,
    cell: () => this.#cell,
    running: () => this.#running(),
  })
  /** Whoever counts on a member's word sets this: asked before it loses its vote, while it can still be heard. */
  beforeRemoval: ((peerId: string) => Promise<unknown>) | undefined
  readonly #init: CellServiceInit
  readonly #log
  readonly #abort = new AbortController()
  readonly #acquaintance
  readonly #peers
  readonly #counters = { leaderChanges: 0, traps: 0, refusedMessages: 0, slowFlushes: 0 }
  #stores!: CellStores
  #machine!: CellMachine
  #verbs!: CellVerbs
  #transport!: RaftTransport
  #cell: Cell | undefined
  #commands: Commands | undefined
  #problem: CodedError | undefined
  #leader = 0
  #duties: LeaderDuties | undefined
  #beginning!: Beginning
  #joining: Promise<void> | undefined
  readonly #clocksAhead = new Set<number>()

  constructor(init: CellServiceInit) {
    this.#init = init
    this.#log = init.log.forComponent('kairos:cell')
    this.#peers = new CellPeers({ membership: init.membership, machine: () => this.#machine })
    this.#acquaintance = createAcquaintance({ libp2p: init.libp2p, members: () => this.#peers.others() })
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
      onFlush: ({ durationMs: ms, bytes, entries }) => {
        if (ms > SLOW_FLUSH_MS) this.#counters.slowFlushes += 1
        this.observe.onFlush?.({ ms, bytes, entries })
      },
    })
    for (const error of this.#stores.renewed) this.#log.warn('a store of the cell is begun anew', { error })
    const { state, blocks, log } = this.#stores
    this.#beginning = new Beginning({ ...this.#init, log, asking: this.#asking() })
    this.#machine = await CellMachine.open({
      state,
      blocks,
      onChanges: (changes) => this.#changed(changes),
      onReplaced: () => this.#replaced(),
      onDiverged: (message) => noteDivergence(directory, message),
    })
    this.#verbs = new CellVerbs({
      membership,
      machine: this.#machine,
      stores: this.#stores,
      cell: () => this.#cell,
      running: () => this.#running(),
      release: (peerId) => this.#release(peerId),
    })
    this.#transport = createWire({
      libp2p: this.#init.libp2p,
      log: this.#init.log,
      judge: this.#init.judge,
      stores: this.#stores,
      cell: () => this.#cell,
      raftIdOf: (peer) => this.#peers.leastIdOf(peer),
      offered: (index, release) => this.#machine.offered(index, release),
      clockAhead: (raftId, aheadMs) => this.#refuseClock(raftId, aheadMs),
      admit: (peer, incarnation) => this.#verbs.admit(peer, incarnation),
    })
    await this.#transport.start()
    this.#transport.members(this.#peers.byId())
    this.#init.libp2p.addEventListener('peer:connect', this.#onConnect)
    await this.#acquaintance.start()
    const raftId = await this.#beginning.known()
    if (raftId === undefined) this.#joining = this.#join()
    else await this.#run(raftId)
  }

  /** Told of the mesh's record, as it goes on: where it names this node as the first of a cell, the cell begins. */
  recorded(state: Pick<MeshState, 'operators'>): void {
    this.#beginning.recorded(state)
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#acquaintance.stop()
    this.#init.libp2p.removeEventListener('peer:connect', this.#onConnect)
    await this.#joining
    this.#duties?.stop()
    // Else the cell stands still until the others have noticed.
    await this.#cell?.handOver(HAND_OVER_MS)
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

  readonly members: CellService['members'] = (options) => this.#verbs.members(options)
  readonly transfer: CellService['transfer'] = (to) => this.#verbs.transfer(to)
  readonly snapshot: CellService['snapshot'] = () => this.#verbs.snapshot()
  readonly remove: CellService['remove'] = (peerId, reason) => this.#verbs.remove(peerId, reason)
  readonly leave: CellService['leave'] = () => this.#verbs.leave()
  readonly setLabel: CellService['setLabel'] = (peerId, key, value) => this.#verbs.setLabel(peerId, key, value)
  readonly drain: CellService['drain'] = (peerId, on) => this.#verbs.drain(peerId, on)

  #asking(): BeginningInit['asking'] {
    const { libp2p } = this.#init
    return {
      open: cellStreams(libp2p),
      members: () => libp2p.getPeers().filter((peer) => this.#peers.isOfCell(peer) && !peer.equals(libp2p.peerId)),
      log: this.#log,
      onProblem: (problem) => (this.#problem = problem),
    }
  }

  async #join(): Promise<void> {
    try {
      const raftId = await this.#beginning.join(this.#abort.signal)
      if (raftId !== undefined) await this.#run(raftId)
    } catch (error) {
      this.#init.onFatal(error)
    }
  }

  async #run(id: number): Promise<void> {
    const { log, blocks } = this.#stores
    const isRestored = await restoreOffer(log.snapshot, blocks, this.#machine)
    const cell = await Cell.start({
      id,
      log,
      machine: this.#machine,
      transport: this.#transport,
      clock,
      loadEngine: () => loadRaft(),
      seed: randomBytes(6).readUIntBE(0, 6),
      nonce: randomBytes(8),
      desired: () => desiredMembers(this.#machine.tree, this.#cell?.configuration),
      events: {
        onStatus: (status) => this.#noteStatus(status),
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
    const { peerId } = this.#init.membership.self
    const founder = id === FOUNDER_RAFT_ID ? { peerId, incarnation: log.incarnation } : undefined
    this.#duties = new LeaderDuties({ machine: this.#machine, commands: this.#commands, log: this.#log, founder })
    this.#duties.start(cell)
    // What the log offers is of long ago, and the state has gone on. A failure has stopped the cell already.
    if (isRestored) cell.snapshot().catch(() => undefined)
    this.#problem = undefined
    this.#init.onRecord(cellRecord(() => this.#machine.tree, this.#commands, peerId))
    // Admission knew nothing of the cell's word until now.
    for (const peer of this.#init.libp2p.getPeers()) this.#refuseRevoked(peer)
  }

  #noteStatus({ leader, role, term }: EngineStatus): void {
    if (leader !== this.#leader && leader !== 0) {
      this.#counters.leaderChanges += 1
      this.#log.info('the cell has a leader', { leader, term, role })
    }
    this.#leader = leader
    if (this.#cell !== undefined) this.#duties?.run(this.#cell)
    this.observe.onChange?.()
  }

  /** Told once of each: it tries again every few seconds. */
  #refuseClock(raftId: number, aheadMs: number): void {
    this.#counters.refusedMessages += 1
    if (this.#clocksAhead.has(raftId)) return
    this.#clocksAhead.add(raftId)
    this.#log.error('the clock of a member is too far ahead: its changes are refused until one of the two is set', {
      raftId,
      aheadMs,
    })
  }

  #failed(error: unknown): void {
    const hint = error instanceof CodedError ? error.hint : undefined
    this.#problem = new CodedError(codeOf(error), messageOf(error), { hint, cause: error })
    this.#init.onFatal(error instanceof EngineRefusal ? this.#problem : error)
  }

  #changed(changes: Changes): void {
    for (const [key, value] of changes) {
      if (key.startsWith('revoked/') && value !== null) this.#init.onRevoked(key.slice('revoked/'.length))
    }
    const keys = [...changes.keys()]
    this.state.tell(keys)
    if (keys.some((key) => /^(member|raft|meta\/configuration)/.test(key))) this.#membersChanged()
  }

  #replaced(): void {
    for (const { peerId } of revocations(this.state.tree)) this.#init.onRevoked(peerId)
    this.#membersChanged()
    this.state.tellReplaced()
  }

  #membersChanged(): void {
    this.#peers.changed()
    this.#transport.members(this.#peers.byId())
    this.observe.onChange?.()
  }

  #onConnect = ({ detail }: CustomEvent<PeerId>): void => {
    this.#refuseRevoked(detail)
    this.#transport.connected(detail)
  }

  #refuseRevoked(peer: PeerId): void {
    if (this.#peers.isRevoked(peer)) this.#init.onRevoked(peer.toString())
  }

  async #release(peerId: string): Promise<void> {
    const { libp2p } = this.#init
    const isHere = libp2p.peerId.toString() === peerId || libp2p.getPeers().some((peer) => peer.toString() === peerId)
    await (isHere ? this.beforeRemoval?.(peerId) : undefined)?.catch((error: unknown) => {
      this.#log.warn('a member is removed that the record of the mesh still needs', {
        peerId,
        reason: messageOf(error),
      })
    })
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
}
