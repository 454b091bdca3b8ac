import { Driver } from './driver.ts'
import type { Configuration, EngineStatus, InMessage, SnapshotMeta } from './engine.ts'
import { CELL_OPTIONS, type CellInit, type CellOptions } from './init.ts'
import type { Applied } from './ports.ts'
import { noQuorum, Proposals } from './proposals.ts'
import { Reads } from './reads.ts'
import { nextChanges, successor } from './reconcile.ts'

const READ_RETRY_TICKS = 3
/** Half of what the engine takes in one input, whose other half is for the frames of many small ones. */
const STEP_BYTES = 1 << 20
/** At most, of one message. */
const ENVELOPE_BYTES = 96

/** One member of a cell: what those who use it ask, above the driver that does what its engine says. */
export class Cell {
  readonly #init: CellInit
  readonly #options: CellOptions
  readonly #driver: Driver
  readonly #proposals = new Proposals()
  readonly #reads: Reads
  readonly #inbox: InMessage[] = []
  #isScheduled = false
  #isStopped = false
  #cancelTick = () => {}
  /** told when another leads, or none ever will */
  #onSucceeded = () => {}

  private constructor(init: CellInit) {
    this.#init = init
    this.#options = { ...CELL_OPTIONS, ...init.options }
    this.#reads = new Reads(init.nonce)
    this.#driver = new Driver(init, this.#options, {
      onStatus: (status, before) => this.#onStatus(status, before),
      onRead: (context, index) => this.#reads.answered(context, index, this.#driver.applied),
      onApplied: (applied) => this.#onApplied(applied),
      onFatal: (cause) => {
        this.#halt()
        init.events.onFatal(cause)
      },
    })
  }

  /** Reads the log, brings the state machine up to its snapshot and begins to tick. @throws as the log does */
  static async start(init: CellInit): Promise<Cell> {
    const cell = new Cell(init)
    await cell.#driver.begin()
    cell.#tickLater()
    return cell
  }

  get status(): EngineStatus {
    return this.#driver.status
  }

  /** In force as far as this member knows. */
  get configuration(): Configuration {
    return this.#driver.configuration
  }

  get applied(): number {
    return this.#driver.applied
  }

  /** Of the newest durable one. */
  get snapshotIndex(): number {
    return this.#driver.snapshot.index
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

  /** Messages of other members, in order. @returns what to wait for before there are more, while the disk is behind */
  receive(messages: readonly InMessage[]): void | Promise<void> {
    if (!this.#driver.isRunning) return
    this.#inbox.push(...messages)
    this.#schedule()
    return this.#driver.room
  }

  unreachable(id: number): void {
    this.#driver.give({ type: 'unreachable', id })
  }

  snapshotSent(id: number, ok: boolean): void {
    this.#driver.snapshotSent(id, ok)
  }

  /** Hands leadership to a member, the fittest when none is named; nothing happens on who does not lead. */
  transfer(to?: number): void {
    const target = to ?? successor(this.status, this.configuration, this.#init.id)
    if (target !== undefined) this.#driver.give({ type: 'transfer', to: target })
  }

  /** Before a stop: who leads hands over, if anybody can, and waits no longer than `ms` for the next leader. */
  async handOver(ms: number): Promise<void> {
    if (this.#isStopped || this.status.role !== 'leader') return
    if (successor(this.status, this.configuration, this.#init.id) === undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onSucceeded = resolve
    this.transfer()
    const cancel = this.#init.clock.after(ms, resolve)
    await promise
    cancel()
  }

  /** Takes a snapshot now. @returns the index of the last one */
  async snapshot(): Promise<number> {
    this.#refuseStopped()
    await this.#driver.takeSnapshot()
    return this.snapshotIndex
  }

  /** Idempotent. Resolves when nothing is under way any more on the disk and in the state machine. */
  async stop(): Promise<void> {
    this.#halt()
    await this.#driver.stop()
  }

  #halt(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#onSucceeded()
    this.#cancelTick()
    this.#proposals.failAll()
    this.#reads.failAll()
  }

  #tickLater(): void {
    if (this.#isStopped) return
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
    if (!this.#driver.isRunning) return
    this.#driver.give({ type: 'tick' })
    this.#proposals.retry(now, retryMs)
    // A new leader answers no read before its first entry is committed, and says nothing.
    this.#reads.retry(now, READ_RETRY_TICKS * tickMs)
    this.#includeJoiners()
    this.#reconcile()
    this.#schedule()
  }

  /** What a joiner itself is fetching does not help it; others finish theirs first. */
  #includeJoiners(): void {
    const needy = withoutSnapshot(this.status, this.#driver.snapshot)
    const isOthersFetch = this.#driver.fetching.some((id) => !needy.has(id))
    if (needy.size > 0 && !isOthersFetch) this.#startSnapshot()
  }

  #reconcile(): void {
    if (this.status.role !== 'leader') return
    const changes = nextChanges(this.#init.desired(), this.configuration, this.status)
    if (changes.length === 0) return
    const isLeaving = changes.some(({ kind, id }) => kind === 'learner' && id === this.#init.id)
    // A leader hands over before it goes: nobody waits for an election.
    if (isLeaving && successor(this.status, this.configuration, this.#init.id) !== undefined) return this.transfer()
    this.#driver.give({ type: 'change', changes, context: new Uint8Array() })
  }

  /** Everything that came since the last turn goes to the engine together. */
  #schedule(): void {
    if (this.#isScheduled || this.#isStopped) return
    this.#isScheduled = true
    this.#init.clock.after(0, () => {
      this.#isScheduled = false
      if (this.#driver.isRunning) this.#turn()
    })
  }

  #turn(): void {
    if (this.#inbox.length > 0) {
      for (const messages of batches(this.#inbox.splice(0))) this.#driver.give({ type: 'step', messages })
    }
    if (this.status.leader === 0) return
    for (let batch = this.#proposals.nextBatch(); batch.length > 0; batch = this.#proposals.nextBatch()) {
      const taken = this.#driver.give({ type: 'propose', commands: batch.map(({ command }) => command) })
      // While nobody can take them they wait: the next tick tries again.
      if (!taken) break
      this.#proposals.sent(batch, this.#init.clock.now())
    }
    const context = this.#reads.ask(this.#init.clock.now())
    if (context !== undefined) this.#driver.give({ type: 'read', context })
  }

  #onStatus(status: EngineStatus, before: EngineStatus | undefined): void {
    this.#init.events.onStatus?.(status)
    if (status.leader === 0 || status.leader === before?.leader) return
    if (status.leader !== this.#init.id) this.#onSucceeded()
    // What went to the leader before may be lost with it.
    this.#proposals.retry(this.#init.clock.now(), 0)
    this.#reads.retry(this.#init.clock.now(), 0)
    this.#schedule()
  }

  #onApplied(applied: readonly Applied[]): void {
    for (const one of applied) this.#proposals.applied(one)
    this.#reads.applied(this.applied)
    this.#init.events.onApplied?.(applied)
    const isDue = this.applied - this.snapshotIndex >= this.#options.snapshotEvery
    if (isDue && this.#driver.fetching.length === 0) this.#startSnapshot()
  }

  #startSnapshot(): void {
    // A failure has stopped the member already.
    this.#driver.takeSnapshot().catch(() => undefined)
  }

  #refuseStopped(): void {
    if (this.#isStopped) throw noQuorum('this member has stopped')
  }
}

/** Messages in order, as many at a time as one input of the engine holds. */
function batches(messages: InMessage[]): InMessage[][] {
  if (messages.length === 1) return [messages]
  const all: InMessage[][] = []
  let room = 0
  for (const message of messages) {
    const size = message.bytes.length + ENVELOPE_BYTES
    if (size > room || all.length === 0) {
      all.push([])
      room = STEP_BYTES
    }
    all.at(-1)!.push(message)
    room -= size
  }
  return all
}

/** Members that joined after the last snapshot and need one: they take none that they are no part of. */
function withoutSnapshot({ progress }: EngineStatus, { index, configuration }: SnapshotMeta): ReadonlySet<number> {
  const { voters, learners, learnersNext } = configuration
  const members = new Set([...voters, ...learners, ...learnersNext])
  return new Set(progress.filter(({ id, match }) => match < index && !members.has(id)).map(({ id }) => id))
}
