import { equalBytes } from '../light/bytes.ts'
import { decoded } from './decoded.ts'
import type { CommitCertificate, Validator } from './engine.ts'
import { Engines } from './engines.ts'
import { Height } from './height.ts'
import { MESH_OPTIONS, type MeshInit, type MeshOptions } from './init.ts'
import { Lookout } from './lookout.ts'
import { untilBegin } from './pace.ts'
import type { ProposedBlock } from './ports.ts'
import { Wait } from './wait.ts'
import { type Waiter, Waiting } from './waiting.ts'

export interface MeshStatus {
  /** that is decided next */
  readonly height: number
  /** −1 before its first */
  readonly round: number
  /** `waiting` for its time; `following` as no validator of it */
  readonly step: 'waiting' | 'deciding' | 'committing' | 'following' | 'stopped'
  /** key of who proposes in the round */
  readonly proposer: Uint8Array | undefined
  /** greatest height that more than a third of the power was heard of at, 0 when none beyond this one */
  readonly behind: number
}

interface Decided {
  readonly block: ProposedBlock
  readonly certificate: CommitCertificate
  /** of a decision made here */
  readonly own: { readonly round: number; readonly ms: number } | undefined
}

interface Synced extends Decided {
  readonly resolve: (isFinal: boolean) => void
}

/**
 * A node's part in the record: decides height after height where it is a validator, and takes what was decided elsewhere.
 * Between two heights it waits for the pace; the messages of the next height wait with it.
 */
export class Mesh {
  readonly #init: MeshInit
  readonly #options: MeshOptions
  readonly #engines: Engines
  readonly #lookout: Lookout
  readonly #wait: Wait
  #height = 0
  #validators: readonly Validator[] = []
  #isValidator = false
  #isStopped = false
  #step: MeshStatus['step'] = 'waiting'
  #run: Height | undefined
  /** for the height to decide while it has no engine, and for the one after it */
  #waiting = new Waiting()
  #next = new Waiting()
  #synced: Synced[] = []
  #decidedAt = -Infinity
  /** never rejects */
  #living: Promise<void> = Promise.resolve()
  /** blocks of heights that are over, that the application has not given up yet; none ever rejects */
  readonly #building = new Set<Promise<void>>()

  private constructor(init: MeshInit) {
    this.#init = init
    this.#options = { ...MESH_OPTIONS, ...init.options }
    this.#engines = new Engines(init.loadEngine, init.clock)
    this.#wait = new Wait(init.clock)
    const onBehind = (height: number) => init.events.onBehind?.(height)
    this.#lookout = new Lookout({ clock: init.clock, options: this.#options, onBehind })
  }

  /** Goes on where log and application are. Whatever fails is told by `onFatal`. */
  static start(init: MeshInit): Mesh {
    const mesh = new Mesh(init)
    mesh.#enter()
    mesh.#living = mesh.#live().catch((cause: unknown) => mesh.#fail(cause))
    return mesh
  }

  /** That is decided next. */
  get height(): number {
    return this.#height
  }

  get status(): MeshStatus {
    const { round = -1, proposer } = this.#run ?? {}
    const step = this.#isStopped ? 'stopped' : this.#step
    return { height: this.#height, round, step, proposer, behind: this.#lookout.behind }
  }

  /**
   * A message of an engine.
   *
   * @param from - key of the peer that it came from, proven by the transport
   * @param height - that the peer says it is of
   */
  receive(from: Uint8Array, height: number, bytes: Uint8Array): void {
    if (this.#isStopped || height < this.#height) return
    const isPresent = this.#validators.some(({ key }) => equalBytes(key, from))
    if (isPresent && height > this.#height) this.#lookout.note(from, height)
    // Who is to validate the next height is not known before this one is final.
    const isTaken = height === this.#height ? isPresent && this.#isValidator : height === this.#height + 1
    if (!isTaken) return this.#init.events.onDropped?.(from)
    if (height === this.#height && this.#run?.isRunning === true) return this.#run.receive(from, bytes)
    this.#keep(from, height, bytes)
  }

  /**
   * A block put together from its parts.
   *
   * @param round - that its sender proposes it in
   * @returns whether its bytes are those that its value names; otherwise they came from a liar
   */
  receiveBlock(height: number, round: number, block: ProposedBlock): boolean {
    if (!this.#init.matches(block)) return false
    if (height === this.#height && this.#run !== undefined) this.#run.receiveBlock(round, block)
    else if (height === this.#height) this.#waiting.addBlock(round, block)
    else if (height === this.#height + 1) this.#next.addBlock(round, block)
    return true
  }

  /**
   * Takes an epoch that was decided elsewhere; whoever calls has verified certificate and block.
   *
   * @returns whether it is final here: not when it is of a later height than the next, or this has stopped
   */
  synced(block: ProposedBlock, certificate: CommitCertificate): Promise<boolean> {
    if (this.#isStopped || certificate.height > this.#height) return Promise.resolve(false)
    if (certificate.height < this.#height) return Promise.resolve(true)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#synced.push({ block, certificate, own: undefined, resolve })
    this.#run?.leave()
    this.#wait.end()
    return promise
  }

  /** Idempotent. Resolves when disk and application are not at work for it any more. */
  async stop(): Promise<void> {
    this.#halt()
    await this.#living
    await Promise.all(this.#building)
  }

  async #live(): Promise<void> {
    while (!this.#isStopped) {
      const decided = await this.#decideNext()
      if (decided !== undefined && !this.#isStopped) await this.#commit(decided)
    }
  }

  /** @returns undefined when the height was left for one that is synced, or for good */
  async #decideNext(): Promise<Decided | undefined> {
    this.#step = this.#isValidator ? 'waiting' : 'following'
    // One turn at least, so that others get theirs.
    if (this.#isWaiting) await this.#wait.for(0)
    for (let ms = this.#untilBegin; ms !== 0 && this.#isWaiting; ms = this.#untilBegin) await this.#wait.for(ms)
    if (this.#isStopped) return undefined
    return this.#synced[0] ?? this.#decide()
  }

  get #isWaiting(): boolean {
    return !this.#isStopped && this.#synced.length === 0
  }

  async #decide(): Promise<Decided | undefined> {
    const { clock } = this.#init
    const startedAt = clock.now()
    this.#step = 'deciding'
    const run = this.#newHeight()
    const certificate = await run.decide()
    this.#decidedAt = clock.now()
    if (certificate !== undefined) this.#step = 'committing'
    await run.settled()
    const building = run.built().finally(() => this.#building.delete(building))
    this.#building.add(building)
    const block = certificate && (await this.#blockOf(run, certificate))
    this.#run = undefined
    if (certificate === undefined || block === undefined) return undefined
    return { block, certificate, own: { round: certificate.round, ms: this.#decidedAt - startedAt } }
  }

  #newHeight(): Height {
    this.#run = new Height({
      number: this.#height,
      validators: this.#validators,
      node: this.#init,
      options: this.#options,
      engines: this.#engines,
      waiting: this.#waiting,
      onFail: (cause) => this.#fail(cause),
    })
    return this.#run
  }

  async #blockOf(run: Height, { value, height }: CommitCertificate): Promise<ProposedBlock> {
    const block = await run.block(value)
    if (block === undefined)
      throw new Error(`the block decided at height ${height} was durable and is not there any more`)
    return block
  }

  async #commit({ block, certificate, own }: Decided): Promise<void> {
    const { application, clock, events } = this.#init
    const { height } = certificate
    this.#step = 'committing'
    if (own === undefined) this.#decidedAt = clock.now()
    await application.commit(block, certificate)
    this.#enter()
    if (own === undefined) events.onSynced?.(height)
    else events.onDecided?.(height, own)
  }

  /** The height after the last that is final. */
  #enter(): void {
    const { application, key } = this.#init
    this.#height = application.height + 1
    this.#validators = application.validators
    this.#isValidator = this.#validators.some((validator) => equalBytes(validator.key, key))
    this.#lookout.enter(this.#height, this.#validators)
    this.#waiting = this.#next
    const keys = this.#validators.map((validator) => validator.key)
    this.#waiting.retain(keys)
    this.#next = new Waiting(keys)
    for (const { resolve } of this.#synced.splice(0)) resolve(true)
  }

  /** @returns ms until the height begins, or there may be another answer; 0 for now, undefined for never */
  get #untilBegin(): number | undefined {
    if (!this.#isValidator) return undefined
    const { messages } = this.#waiting
    if (messages.some((one) => this.#isProposal(one))) return 0
    const { application, clock, pace } = this.#init
    // Who hears others at work and stays idle would cost them a round.
    const isBusy = application.isBusy || messages.length > 0
    return untilBegin(pace(), clock.now() - this.#decidedAt, isBusy)
  }

  /** By who is to make it, and not only passed on. */
  #isProposal({ from, message }: Waiter): boolean {
    if (message.type !== 'proposal' || !equalBytes(message.validator, from)) return false
    return equalBytes(from, this.#init.proposerOf(this.#validators, this.#height, message.round))
  }

  #keep(from: Uint8Array, height: number, bytes: Uint8Array): void {
    const { events } = this.#init
    const message = decoded(this.#init, bytes)
    if (message === undefined) return events.onRefused?.('E_BFT_MESSAGE', from)
    if (message.height !== height) return events.onRefused?.('E_BFT_HEIGHT', from)
    const waiting = height === this.#height ? this.#waiting : this.#next
    if (!waiting.add(from, bytes, message)) events.onDropped?.(from)
    if (waiting === this.#waiting) this.#wait.end()
  }

  #halt(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#lookout.stop()
    this.#run?.leave()
    this.#wait.end()
    for (const { resolve } of this.#synced.splice(0)) resolve(false)
  }

  #fail(cause: unknown): void {
    if (this.#isStopped) return
    this.#halt()
    this.#init.events.onFatal(cause)
  }
}
