import { ApplyQueue } from './apply-queue.ts'
import type { CommittedEntry, Configuration, Engine, EngineEffects, EngineInput } from './engine.ts'
import { EngineRefusal, type EngineStatus, type OutMessage, type SnapshotMeta } from './engine.ts'
import type { CellInit, CellOptions } from './init.ts'
import type { Applied } from './ports.ts'
import { engineStart, termAt } from './start.ts'
import { type Flush, WriteQueue } from './write-queue.ts'

/** A member that traps twice within this would trap for ever. */
const TRAP_AGAIN_MS = 10_000
/** A member that fetches a snapshot holds the next one back no longer than this: the log must not grow for ever. */
const FETCH_MS = 120_000

export interface DriverEvents {
  onStatus(status: EngineStatus, before: EngineStatus | undefined): void
  /** a question of a read has its answer: the index that has to be applied */
  onRead(context: Uint8Array, index: number): void
  onApplied(applied: readonly Applied[]): void
  /** everything has stopped */
  onFatal(cause: unknown): void
}

type DriverInit = Pick<CellInit, 'id' | 'loadEngine' | 'log' | 'transport' | 'machine' | 'clock' | 'seed' | 'events'>

/**
 * Does what the engine says, in the order of consensus.md, "The driver": messages of a leader go out at once; entries,
 * votes and acks are made durable first, many at a time, while the engine goes on; then entries are applied.
 */
export class Driver {
  status!: EngineStatus
  /** in force as the engine has it */
  configuration!: Configuration
  /** up to where the engine has been told of the state machine */
  applied = 0
  /** the newest that is durable here */
  snapshot!: SnapshotMeta
  readonly #init: DriverInit
  readonly #options: CellOptions
  readonly #events: DriverEvents
  #state: 'starting' | 'running' | 'stopped' = 'starting'
  #engine!: Engine
  #writes!: WriteQueue
  /** bytes of entries that the disk does not have yet */
  #unwritten = 0
  #applying = new ApplyQueue()
  #appliedTerm = 0
  /** when members were offered a snapshot that they may still be fetching, ms */
  readonly #offered = new Map<number, number>()
  #taking: Promise<void> | undefined
  /** a snapshot waits for the end of a turn: no other may begin */
  #isTurnHeld = false
  /** told when a snapshot has become durable, or none can any more */
  #onSnapshot = () => {}
  /** of the write and the turn of the state machine under way, and of a start after a trap; none ever rejects */
  #writing: Promise<void> | undefined
  #turning: Promise<void> | undefined
  #rebuilding: Promise<void> | undefined
  #starts = 0
  #trappedAt = -Infinity

  constructor(init: DriverInit, options: CellOptions, events: DriverEvents) {
    this.#init = init
    this.#options = options
    this.#events = events
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  /** Makes an engine of what the log and the state machine hold. @throws as these do */
  async begin(): Promise<void> {
    const { log, machine, id, loadEngine } = this.#init
    const [start, createEngine] = [await log.read(), await loadEngine()]
    if (start.snapshot.index > machine.applied) await machine.install(start.snapshot)
    if (this.#state === 'stopped') return
    this.#starts += 1
    this.#writes = new WriteQueue(start)
    this.#unwritten = 0
    this.#applying = new ApplyQueue()
    this.snapshot = start.snapshot
    this.applied = machine.applied
    this.#appliedTerm = termAt(start, machine.applied)
    this.configuration = machine.configuration
    this.#engine = createEngine(engineStart(this.#init, this.#options, start, this.#init.seed + this.#starts))
    this.#state = 'running'
    const { voters, votersOutgoing } = this.configuration
    // Who is alone need not wait for anybody.
    const isAlone = voters.length === 1 && voters[0] === id && votersOutgoing.length === 0
    this.give(isAlone ? { type: 'campaign' } : { type: 'unreachable', id })
  }

  /** Resolves when nothing is under way any more on the disk and in the state machine. */
  async stop(): Promise<void> {
    this.#end()
    await this.#settled()
    await this.#rebuilding
    // Its failure was told already.
    await this.#taking?.catch(() => undefined)
  }

  #end(): void {
    if (this.#state === 'running') this.#engine.free()
    this.#state = 'stopped'
    this.#onSnapshot()
  }

  /** Resolves when the disk has made room; undefined while there is some. */
  get room(): Promise<void> | undefined {
    return this.#unwritten > this.#options.maxUnwrittenBytes ? this.#writing : undefined
  }

  /** @returns whether the engine took it */
  give(input: EngineInput): boolean {
    const effects = this.#input(input)
    if (effects !== undefined) this.#take(effects)
    return effects !== undefined
  }

  /** @returns undefined when the engine refused it, trapped, or does not run */
  #input(input: EngineInput): EngineEffects | undefined {
    if (this.#state !== 'running') return undefined
    try {
      return this.#engine.input(input)
    } catch (cause) {
      if (!(cause instanceof EngineRefusal)) this.#rebuild(cause)
      return undefined
    }
  }

  /** Of the state as the turn under way leaves it. Resolves when it is durable; @throws as the state machine does */
  takeSnapshot(): Promise<void> {
    this.#taking ??= this.#takeSnapshot().finally(() => (this.#taking = undefined))
    return this.#taking
  }

  async #takeSnapshot(): Promise<void> {
    const { machine } = this.#init
    this.#isTurnHeld = true
    await this.#turning
    this.#isTurnHeld = false
    if (this.#state !== 'running') return
    if (machine.applied <= this.snapshot.index) return this.#apply()
    const at = { term: this.#appliedTerm, configuration: machine.configuration }
    const taken = machine.snapshot()
    // What comes meanwhile is applied meanwhile.
    this.#apply()
    try {
      await this.#keepSnapshot({ ...(await taken), ...at })
    } catch (cause) {
      this.#fail(cause)
      throw cause
    }
  }

  async #keepSnapshot(meta: SnapshotMeta): Promise<void> {
    if (this.#state !== 'running') return
    const durable = Promise.withResolvers<void>()
    this.#onSnapshot = durable.resolve
    this.#writes.pushOwnSnapshot(meta)
    this.#flush()
    if (this.snapshot.index < meta.index) await durable.promise
  }

  /** Does what follows: send, persist, apply, answer reads. */
  #take(effects: EngineEffects): void {
    const { messages, committed, reads, refused, configuration } = effects
    for (const message of messages) this.#send(message)
    this.#writes.push(effects)
    for (const { data } of effects.entries) this.#unwritten += data.length
    if (configuration !== undefined) this.configuration = configuration
    if (committed.length > 0) this.#applying.push(committed, this.#configure(committed))
    for (const { context, index } of reads) this.#events.onRead(context, index)
    if (refused > 0) this.#init.events.onRefused?.(refused)
    this.#noteStatus(effects.status)
    this.#flush()
    this.#apply()
  }

  /** Who is fetching a snapshot: its blocks must not go while they do, unless they take for ever. */
  get fetching(): number[] {
    const since = this.#init.clock.now() - FETCH_MS
    const { progress } = this.status
    const has = (id: number) => (progress.find((one) => one.id === id)?.match ?? 0) >= this.snapshot.index
    return [...this.#offered].filter(([id, at]) => at > since && !has(id)).map(([id]) => id)
  }

  snapshotSent(id: number, ok: boolean): void {
    this.#offered.delete(id)
    this.give({ type: 'snapshotSent', id, ok })
  }

  #send({ to, bytes, snapshot }: OutMessage): void {
    if (snapshot !== undefined) this.#offered.set(to, this.#init.clock.now())
    this.#init.transport.send(to, bytes, snapshot)
  }

  #noteStatus(status: EngineStatus): void {
    const before = this.status as EngineStatus | undefined
    this.status = status
    const { role, leader, term } = status
    if (before?.role === role && before.leader === leader && before.term === term) return
    this.#events.onStatus(status, before)
  }

  /** The engine must know of a change before it is told that it was applied. */
  #configure(committed: readonly CommittedEntry[]): Map<number, Configuration> {
    const configured = new Map<number, Configuration>()
    for (const { kind, index, data } of committed) {
      if (kind === 'normal') continue
      this.configuration = this.#input({ type: 'configure', data })?.configuration ?? this.configuration
      configured.set(index, this.configuration)
    }
    return configured
  }

  /** Persist before send: what a ready promises goes out when the disk has it. */
  #flush(): void {
    if (this.#writing !== undefined || this.#state !== 'running' || this.#writes.isEmpty) return
    const flush = this.#writes.take()
    if (flush.write === undefined) return this.#flushed(flush)
    const [start, bytes] = [this.#starts, this.#unwritten]
    this.#writing = this.#init.log
      .append(flush.write)
      .then(() => {
        this.#writing = undefined
        if (this.#state !== 'running' || start !== this.#starts) return
        this.#unwritten -= bytes
        this.#flushed(flush)
      })
      .catch((cause: unknown) => this.#fail(cause))
  }

  #flushed({ number, messages, install, own }: Flush): void {
    for (const message of messages) this.#send(message)
    if (install !== undefined) {
      this.#applying.pushInstall((this.snapshot = install))
      this.#onSnapshot()
    }
    if (number > 0) this.give({ type: 'persisted', number })
    if (own !== undefined) this.#offer(own)
    this.#flush()
    this.#apply()
  }

  /** A snapshot that is durable may be sent, and the entries before it forgotten but for the last. */
  #offer(meta: SnapshotMeta): void {
    this.snapshot = meta
    this.#onSnapshot()
    this.give({ type: 'snapshot', meta, compact: Math.max(0, meta.index - this.#options.keepEntries) })
  }

  #apply(): void {
    if (this.#state !== 'running' || this.#isTurnHeld || !this.#applying.isReady) return
    const start = this.#starts
    this.#turning = this.#applying
      .turn(this.#init.machine)
      .then(({ applied, term }) => {
        if (this.#state === 'running' && start === this.#starts) this.#afterApply(applied, term)
      })
      .catch((cause: unknown) => this.#fail(cause))
  }

  #afterApply(applied: readonly Applied[], term: number): void {
    this.applied = this.#init.machine.applied
    this.#appliedTerm = term
    this.#events.onApplied(applied)
    this.give({ type: 'applied', index: this.applied })
    this.#apply()
  }

  /** A trap leaves nothing to trust but what is on the disk. */
  #rebuild(cause: unknown): void {
    const now = this.#init.clock.now()
    const isAgain = now - this.#trappedAt < TRAP_AGAIN_MS
    this.#trappedAt = now
    this.#state = 'starting'
    this.#onSnapshot()
    this.#init.events.onTrap?.(cause)
    if (isAgain) return this.#fail(cause)
    this.#rebuilding = this.#settled()
      .then(() => this.begin())
      .catch((failure: unknown) => this.#fail(failure))
  }

  #fail(cause: unknown): void {
    if (this.#state === 'stopped') return
    this.#end()
    this.#events.onFatal(cause)
  }

  async #settled(): Promise<void> {
    await this.#writing
    await this.#turning
  }
}
