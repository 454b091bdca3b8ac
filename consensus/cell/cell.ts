import { ApplyQueue } from './apply-queue.ts'
import type { CommittedEntry, Configuration, Engine } from './engine.ts'
import type { EngineEffects, EngineInput, EngineStart, EngineStatus, OutMessage, SnapshotMeta } from './engine.ts'
import { EngineRefusal } from './engine.ts'
import { CELL_OPTIONS, type CellInit, type CellOptions } from './init.ts'
import type { Applied, LogStart } from './ports.ts'
import { noQuorum, Proposals } from './proposals.ts'
import { Reads } from './reads.ts'
import { nextChanges, successor } from './reconcile.ts'
import { type Flush, WriteQueue } from './write-queue.ts'

const READ_RETRY_TICKS = 3
/** A member that traps twice within this would trap for ever. */
const TRAP_AGAIN_MS = 10_000

/**
 * One member of a cell: drives the engine, the disk, the wire and the state machine (consensus.md, "The driver"). Messages
 * of a leader go out at once; entries, votes and acks are made durable first, many at a time, while the engine goes on.
 */
export class Cell {
  readonly #init: CellInit
  readonly #options: CellOptions
  readonly #proposals = new Proposals()
  readonly #reads: Reads
  #applying = new ApplyQueue()
  #engine!: Engine
  #writes!: WriteQueue
  #status!: EngineStatus
  #configuration!: Configuration
  /** up to where the engine has been told of the state machine */
  #applied = 0
  #appliedTerm = 0
  /** the newest that is durable here */
  #snapshot!: SnapshotMeta
  #isSnapshotting = false
  #inbox: Uint8Array[] = []
  /** of the write, the turn of the state machine and the snapshot under way */
  #writing: Promise<void> | undefined
  #turning: Promise<void> | undefined
  #isScheduled = false
  #state: 'starting' | 'running' | 'stopped' = 'starting'
  #starts = 0
  #trappedAt = -Infinity
  #cancelTick = () => {}

  private constructor(init: CellInit) {
    this.#init = init
    this.#options = { ...CELL_OPTIONS, ...init.options }
    this.#reads = new Reads(init.nonce)
  }

  /** Reads the log, brings the state machine up to its snapshot and begins to tick. @throws as the log does */
  static async start(init: CellInit): Promise<Cell> {
    const cell = new Cell(init)
    await cell.#begin()
    cell.#tickLater()
    return cell
  }

  get status(): EngineStatus {
    return this.#status
  }

  /** In force as far as this member has applied. */
  get configuration(): Configuration {
    return this.#configuration
  }

  get applied(): number {
    return this.#applied
  }

  get snapshotIndex(): number {
    return this.#snapshot.index
  }

  /**
   * Proposes a command; any member may. It is sent again until its time is over, and applied once however often.
   *
   * @throws CodedError E_NO_QUORUM when it was surely not applied, E_OUTCOME_UNKNOWN when nobody knows, E_CELL_BUSY
   */
  async propose(id: string, command: Uint8Array, timeoutMs: number): Promise<Applied> {
    this.#refuseStopped()
    const result = this.#proposals.add(id, command, this.#init.clock.now() + timeoutMs)
    this.#schedule()
    return result
  }

  /** Resolves when the local state holds all that was committed at the call. @throws CodedError E_NO_QUORUM */
  async read(timeoutMs: number): Promise<void> {
    this.#refuseStopped()
    const done = this.#reads.add(this.#init.clock.now() + timeoutMs)
    this.#schedule()
    return done
  }

  /** Messages of other members, in order. */
  receive(messages: readonly Uint8Array[]): void {
    if (this.#state !== 'running') return
    this.#inbox.push(...messages)
    this.#schedule()
  }

  unreachable(id: number): void {
    this.#give({ type: 'unreachable', id })
  }

  snapshotSent(id: number, ok: boolean): void {
    this.#give({ type: 'snapshotSent', id, ok })
  }

  /** Hands leadership to a member, the fittest when none is named; nothing happens on who does not lead. */
  transfer(to?: number): void {
    const target = to ?? successor(this.#status, this.#configuration, this.#init.id)
    if (target !== undefined) this.#give({ type: 'transfer', to: target })
  }

  /** Stands for election at once. */
  campaign(): void {
    this.#give({ type: 'campaign' })
  }

  /** Takes a snapshot now. @returns the index of the last one */
  async snapshot(): Promise<number> {
    this.#refuseStopped()
    await this.#takeSnapshot()
    return this.#snapshot.index
  }

  /** Idempotent. Resolves when nothing is under way any more on the disk and in the state machine. */
  async stop(): Promise<void> {
    if (this.#state === 'running') this.#engine.free()
    this.#halt()
    await this.#settled()
  }

  #halt(): void {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    this.#cancelTick()
    this.#proposals.failAll()
    this.#reads.failAll()
  }

  #fail(cause: unknown): void {
    if (this.#state === 'stopped') return
    this.#halt()
    this.#init.events.onFatal(cause)
  }

  async #settled(): Promise<void> {
    await this.#writing
    await this.#turning
  }

  async #begin(): Promise<void> {
    const { log, machine, id, loadEngine } = this.#init
    const [start, createEngine] = [await log.read(), await loadEngine()]
    if (start.snapshot.index > machine.applied) await machine.install(start.snapshot)
    if (this.#state === 'stopped') return
    this.#starts += 1
    this.#writes = new WriteQueue(start)
    this.#applying = new ApplyQueue()
    this.#snapshot = start.snapshot
    this.#applied = machine.applied
    this.#appliedTerm = termAt(start, machine.applied)
    this.#configuration = machine.configuration
    this.#engine = createEngine(this.#startOf(start))
    this.#state = 'running'
    const { voters, votersOutgoing } = this.#configuration
    // Who is alone need not wait for anybody.
    const isAlone = voters.length === 1 && voters[0] === id && votersOutgoing.length === 0
    this.#give(isAlone ? { type: 'campaign' } : { type: 'unreachable', id })
  }

  #startOf({ hardState, snapshot, entries }: LogStart): EngineStart {
    const { id, machine, seed } = this.#init
    const { electionTicks, heartbeatTicks } = this.#options
    // What is applied was committed, though the log may have been told of a lesser commit index.
    const commit = Math.max(hardState.commit, machine.applied)
    return {
      id,
      electionTicks,
      heartbeatTicks,
      snapshot,
      entries,
      seed: (seed + this.#starts) % Number.MAX_SAFE_INTEGER,
      hardState: { ...hardState, commit },
      configuration: machine.configuration,
      applied: machine.applied,
    }
  }

  #tickLater(): void {
    this.#cancelTick = this.#init.clock.after(this.#options.tickMs, () => {
      this.#tickLater()
      this.#tick()
    })
  }

  #tick(): void {
    const now = this.#init.clock.now()
    const { retryMs, tickMs } = this.#options
    this.#proposals.expire(now)
    this.#reads.expire(now)
    if (this.#state !== 'running') return
    this.#give({ type: 'tick' })
    this.#proposals.retry(now, retryMs)
    // A new leader answers no read before its first entry is committed, and says nothing.
    this.#reads.retry(now, READ_RETRY_TICKS * tickMs)
    if (needsSnapshot(this.#status, this.#snapshot)) this.#startSnapshot()
    this.#reconcile()
    this.#schedule()
  }

  #reconcile(): void {
    const changes = nextChanges(this.#init.desired(), this.#configuration, this.#status)
    if (changes.length === 0) return
    const isLeaving = changes.some(({ kind, id }) => kind === 'learner' && id === this.#init.id)
    // A leader hands over before it goes: nobody waits for an election.
    if (isLeaving && successor(this.#status, this.#configuration, this.#init.id) !== undefined) return this.transfer()
    this.#give({ type: 'change', changes, context: new Uint8Array() })
  }

  /** Everything that came since the last turn goes to the engine together. */
  #schedule(): void {
    if (this.#isScheduled || this.#state === 'stopped') return
    this.#isScheduled = true
    this.#init.clock.after(0, () => {
      this.#isScheduled = false
      if (this.#state === 'running') this.#turn()
    })
  }

  #turn(): void {
    const messages = this.#inbox
    this.#inbox = []
    if (messages.length > 0) this.#give({ type: 'step', messages })
    if (this.#status.leader === 0) return
    for (let batch = this.#proposals.nextBatch(); batch.length > 0; batch = this.#proposals.nextBatch()) {
      const taken = this.#give({ type: 'propose', commands: batch.map(({ command }) => command) })
      // While nobody can take them they wait: the next tick tries again.
      if (!taken) break
      this.#proposals.sent(batch, this.#init.clock.now())
    }
    const context = this.#reads.ask(this.#init.clock.now())
    if (context !== undefined) this.#give({ type: 'read', context })
  }

  /** @returns whether the engine took it */
  #give(input: EngineInput): boolean {
    if (this.#state !== 'running') return false
    let effects: EngineEffects
    try {
      effects = this.#engine.input(input)
    } catch (cause) {
      if (!(cause instanceof EngineRefusal)) this.#rebuild(cause)
      return false
    }
    this.#take(effects)
    return true
  }

  /** Does what follows: send, persist, apply, answer reads. */
  #take(effects: EngineEffects): void {
    const { messages, committed, reads, refused, configuration } = effects
    for (const message of messages) this.#send(message)
    this.#writes.push(effects)
    if (configuration !== undefined) this.#configuration = configuration
    this.#applying.push(committed, this.#configure(committed))
    for (const { context, index } of reads) this.#reads.answered(context, index, this.#applied)
    if (refused > 0) this.#init.events.onRefused?.(refused)
    this.#noteStatus(effects.status)
    this.#flush()
    this.#apply()
  }

  #send({ to, bytes, snapshot }: OutMessage): void {
    this.#init.transport.send(to, bytes, snapshot)
  }

  #noteStatus(status: EngineStatus): void {
    const before = this.#status as EngineStatus | undefined
    this.#status = status
    const { role, leader, term } = status
    if (before?.role === role && before.leader === leader && before.term === term) return
    this.#init.events.onStatus?.(status)
    if (leader === 0 || leader === before?.leader) return
    // What went to the leader before may be lost with it.
    this.#proposals.retry(this.#init.clock.now(), 0)
    this.#reads.retry(this.#init.clock.now(), 0)
    this.#schedule()
  }

  /** The engine must know of a change before it is told that it was applied. */
  #configure(committed: readonly CommittedEntry[]): Map<number, Configuration> {
    const configured = new Map<number, Configuration>()
    for (const { kind, index, data } of committed) {
      if (kind === 'normal') continue
      this.#configuration = this.#engine.input({ type: 'configure', data }).configuration ?? this.#configuration
      configured.set(index, this.#configuration)
    }
    return configured
  }

  /** Persist before send: what a ready promises goes out when the disk has it. */
  #flush(): void {
    if (this.#writing !== undefined || this.#state !== 'running' || this.#writes.isEmpty) return
    const flush = this.#writes.take()
    if (flush.write === undefined) return this.#flushed(flush)
    const start = this.#starts
    this.#writing = this.#init.log.append(flush.write).then(
      () => {
        this.#writing = undefined
        if (this.#state === 'running' && start === this.#starts) this.#flushed(flush)
      },
      (cause: unknown) => this.#fail(cause),
    )
  }

  #flushed({ number, messages, install, own }: Flush): void {
    for (const message of messages) this.#send(message)
    if (install !== undefined) this.#applying.pushInstall((this.#snapshot = install))
    if (number > 0) this.#give({ type: 'persisted', number })
    if (own !== undefined) this.#offer(own)
    this.#flush()
    this.#apply()
  }

  #apply(): void {
    if (this.#state !== 'running' || !this.#applying.isReady) return
    const start = this.#starts
    this.#turning = this.#applying.turn(this.#init.machine).then(
      ({ applied, term }) => {
        if (this.#state === 'running' && start === this.#starts) this.#afterApply(applied, term)
      },
      (cause: unknown) => this.#fail(cause),
    )
  }

  #afterApply(applied: readonly Applied[], term: number): void {
    this.#applied = this.#init.machine.applied
    this.#appliedTerm = term
    for (const one of applied) this.#proposals.applied(one)
    this.#reads.applied(this.#applied)
    this.#init.events.onApplied?.(applied)
    if (this.#applied - this.#snapshot.index >= this.#options.snapshotEvery) this.#startSnapshot()
    this.#give({ type: 'applied', index: this.#applied })
    this.#apply()
  }

  #startSnapshot(): void {
    this.#takeSnapshot().catch((cause: unknown) => this.#fail(cause))
  }

  /** Of the state as it is now; what comes meanwhile is applied meanwhile. */
  async #takeSnapshot(): Promise<void> {
    const { machine } = this.#init
    if (this.#isSnapshotting || this.#applying.isBusy || machine.applied <= this.#snapshot.index) return
    this.#isSnapshotting = true
    const at = { term: this.#appliedTerm, configuration: machine.configuration }
    try {
      const { index, root } = await machine.snapshot()
      if (this.#state !== 'running' || index <= this.#snapshot.index) return
      this.#writes.pushOwnSnapshot({ index, root, ...at })
      this.#flush()
    } finally {
      this.#isSnapshotting = false
    }
  }

  /** A snapshot that is durable may be sent, and the entries before it forgotten but for the last. */
  #offer(meta: SnapshotMeta): void {
    this.#snapshot = meta
    this.#give({ type: 'snapshot', meta, compact: Math.max(0, meta.index - this.#options.keepEntries) })
  }

  /** A trap leaves nothing to trust but what is on the disk. */
  #rebuild(cause: unknown): void {
    const now = this.#init.clock.now()
    const isAgain = now - this.#trappedAt < TRAP_AGAIN_MS
    this.#trappedAt = now
    this.#state = 'starting'
    this.#init.events.onTrap?.(cause)
    if (isAgain) return this.#fail(cause)
    this.#settled()
      .then(() => this.#begin())
      .catch((failure: unknown) => this.#fail(failure))
  }

  #refuseStopped(): void {
    if (this.#state === 'stopped') throw noQuorum('this member has stopped')
  }
}

/** Whether a member that joined after the last snapshot needs one: it takes none that it is no part of. */
function needsSnapshot({ progress }: EngineStatus, { index, configuration }: SnapshotMeta): boolean {
  const { voters, learners } = configuration
  return progress.some(({ id, match }) => match < index && !voters.includes(id) && !learners.includes(id))
}

/** Term of the entry at an index of a start, for a snapshot that is taken there. */
function termAt({ snapshot, entries }: LogStart, index: number): number {
  return entries[index - snapshot.index - 1]?.term ?? snapshot.term
}
