import { equalBytes } from '../light/bytes.ts'
import { Blocks } from './blocks.ts'
import { Builds } from './builds.ts'
import { decoded } from './decoded.ts'
import type { BftMessage, CommitCertificate, EngineEffect, EngineInput, Equivocation, Validator } from './engine.ts'
import type { Engines } from './engines.ts'
import type { MeshInit, MeshOptions } from './init.ts'
import { Instance } from './instance.ts'
import { Outbox } from './outbox.ts'
import type { ProposedBlock } from './ports.ts'
import { Timeouts } from './timeouts.ts'
import { Voted } from './voted.ts'
import type { Waiting } from './waiting.ts'

export interface HeightInit {
  readonly number: number
  readonly validators: readonly Validator[]
  readonly node: MeshInit
  readonly options: MeshOptions
  readonly engines: Engines
  /** what comes while there is no engine */
  readonly waiting: Waiting
  /** disk, application or engine failed for good */
  onFail(cause: unknown): void
}

type Held =
  | Exclude<EngineEffect, { readonly type: 'log' | 'timeout' | 'cancelTimeouts' }>
  | { readonly type: 'block'; readonly round: number; readonly block: ProposedBlock }

/**
 * One height at a validator of it: gives the engine what comes and does what it says, in the order of consensus.md, "The
 * driver", until it has decided.
 */
export class Height {
  round = -1
  proposer: Uint8Array | undefined
  readonly #init: HeightInit
  readonly #instance: Instance
  readonly #timeouts: Timeouts
  readonly #blocks: Blocks
  readonly #builds: Builds
  readonly #voted: Voted
  readonly #ended = Promise.withResolvers<CommitCertificate | undefined>()
  #outbox: Outbox<Held>
  #certificate: CommitCertificate | undefined
  /** the engine has nothing more to say */
  #isDone = false
  #isOver = false
  /** rounds from which on this process has seen all that came */
  #wholeFrom = 0

  constructor(init: HeightInit) {
    const { number: height, node, options, onFail } = init
    const { application, transport, clock, events } = node
    this.#init = init
    this.#outbox = this.#newOutbox()
    this.#voted = new Voted(init.validators)
    this.#instance = this.#newInstance()
    this.#timeouts = new Timeouts(clock, options, (timeout) => this.#give({ type: 'timeout', timeout }))
    const give = (input: EngineInput) => void this.#give(input)
    this.#blocks = new Blocks({ height, application, transport, clock, events, options, give, onFail })
    const onBuilt = (round: number, block: ProposedBlock) => this.#propose(round, block)
    const onFailed = (round: number, cause: unknown) => events.onProposalFailed?.(round, cause)
    this.#builds = new Builds({ application, onBuilt, onFailed, onFail })
  }

  /** Resolves with the certificate once everything that belongs to it was sent; undefined when the height was left. */
  decide(): Promise<CommitCertificate | undefined> {
    this.#instance.start()
    return this.#ended.promise
  }

  /** Whether there is an engine to take messages. */
  get isRunning(): boolean {
    return this.#instance.isRunning && !this.#isDone
  }

  receive(from: Uint8Array, bytes: Uint8Array): void {
    if (!this.#give({ type: 'message', bytes }, { from })) return
    const message = decoded(this.#init.node, bytes)
    if (message !== undefined) this.#note(message)
  }

  receiveBlock(round: number, block: ProposedBlock): void {
    this.#blocks.add(round, block)
  }

  block(value: Uint8Array): Promise<ProposedBlock | undefined> {
    return this.#blocks.get(value)
  }

  /** Ends it, decided or not; nothing is sent any more. Idempotent. */
  leave(): void {
    this.#end(undefined)
  }

  /** Resolves when neither disk nor application is at work for it; a block that is being built was given up. */
  async settled(): Promise<void> {
    await this.#instance.settled()
    await this.#outbox.settled()
    await this.#blocks.settled()
    await this.#builds.persisted()
  }

  /** Resolves when the application has given up what it built. */
  async built(): Promise<void> {
    await this.#builds.settled()
  }

  #newInstance(): Instance {
    const { number, validators, node, engines, onFail } = this.#init
    const onStart = (records: number) => this.#started(records)
    const onEffects = (effects: readonly EngineEffect[]) => this.#take(effects)
    const [onRunning, onTrap] = [() => this.#drain(), () => this.#trapped()]
    return new Instance({ number, validators, node, engines, onStart, onEffects, onRunning, onTrap, onFail })
  }

  #newOutbox(): Outbox<Held> {
    return new Outbox<Held>({
      append: (records) => this.#init.node.wal.append(this.#init.number, records),
      release: (effect) => this.#perform(effect),
      // The own precommit that a decision may rest on comes after it.
      onEmpty: () => this.#certificate !== undefined && this.#end(this.#certificate),
      onFail: this.#init.onFail,
    })
  }

  #started(records: number): void {
    this.#outbox = this.#newOutbox()
    if (records > 0) this.#wholeFrom = Infinity
  }

  /** What came while there was no engine. */
  #drain(): void {
    const { waiting } = this.#init
    this.#blocks.tellAgain()
    for (const { round, block } of waiting.takeBlocks()) this.receiveBlock(round, block)
    for (const { from, bytes } of waiting.take()) this.receive(from, bytes)
  }

  /** @param last - to be done after everything that the engine wants done. @returns whether it took the input */
  #give(input: EngineInput, { from, last }: { from?: Uint8Array; last?: Held } = {}): boolean {
    const effects = this.isRunning ? this.#instance.input(input, from) : undefined
    if (effects !== undefined) this.#take(effects, last)
    return effects !== undefined
  }

  /** Timers wait for nothing; the rest for the records before it. */
  #take(effects: readonly EngineEffect[], last?: Held): void {
    for (const effect of effects) {
      if (effect.type === 'timeout') this.#timeouts.set(effect.timeout)
      else if (effect.type === 'cancelTimeouts') this.#timeouts.cancelAll()
      else if (effect.type === 'log') this.#outbox.log(effect.record)
      else this.#outbox.hold(effect)
      if (effect.type === 'decide') this.#isDone = true
    }
    if (last !== undefined) this.#outbox.hold(last)
    if (this.#isDone) this.#hush()
    this.#outbox.pump()
  }

  #perform(effect: Held): void {
    const { transport } = this.#init.node
    const { number: height } = this.#init
    if (effect.type === 'publish') transport.publish(height, effect.bytes)
    else if (effect.type === 'block') transport.publishBlock(height, effect.round, effect.block)
    else if (effect.type === 'restream') this.#restream(effect.round, effect.value)
    else if (effect.type === 'round') this.#enter(effect.round, effect.proposer)
    else if (effect.type === 'getValue') this.#builds.begin(effect.round)
    else if (effect.type === 'decide') this.#certificate = effect.certificate
    else this.#accuse(effect.evidence)
  }

  #enter(round: number, proposer: Uint8Array): void {
    const { events } = this.#init.node
    const isMissed = this.round >= this.#wholeFrom && !this.#blocks.has(this.round)
    if (this.proposer !== undefined && isMissed) events.onMissedProposal?.(this.proposer)
    if (this.#wholeFrom === Infinity) this.#wholeFrom = round + 1
    this.round = this.#blocks.round = round
    this.proposer = proposer
    this.#builds.end(round)
    events.onRound?.(this.#init.number, round, proposer)
  }

  #accuse(equivocation: Equivocation): void {
    this.#init.node.application.evidence(equivocation)
    this.#init.node.events.onEquivocation?.(equivocation)
  }

  #propose(round: number, block: ProposedBlock): void {
    if (!this.isRunning) return
    this.#blocks.addOwn(block, { round, validRound: -1, proposer: this.#init.node.key })
    this.#give({ type: 'propose', round, value: block.value }, { last: { type: 'block', round, block } })
  }

  #restream(round: number, value: Uint8Array): void {
    const send = (block: ProposedBlock | undefined) => {
      if (block === undefined || this.#isOver) return
      this.#init.node.transport.publishBlock(this.#init.number, round, block)
    }
    this.#blocks.get(value).then(send).catch(this.#init.onFail)
  }

  /** What the engine took is what it seems, but for the proposal of another than the round's proposer. */
  #note(message: BftMessage): void {
    const { validators, number, node } = this.#init
    if (message.type === 'round' || message.value === undefined) return
    const { round, value } = message
    const proposer = node.proposerOf(validators, number, round)
    if (message.type === 'proposal') {
      const name = { round, validRound: message.polRound, proposer }
      if (equalBytes(message.validator, proposer)) this.#blocks.propose(value, name)
    } else if (message.type === 'polka' || this.#voted.note(message)) {
      this.#blocks.name(value, { round, validRound: -1, proposer })
    }
  }

  /** What was not durable was never sent, and need never be. */
  #trapped(): Promise<void> {
    this.#hush()
    this.#outbox.close()
    return this.#outbox.settled()
  }

  #hush(): void {
    this.#timeouts.cancelAll()
    this.#builds.end()
  }

  #end(certificate: CommitCertificate | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#isDone = true
    this.#hush()
    this.#blocks.close()
    this.#outbox.close()
    this.#instance.end()
    this.#ended.resolve(certificate)
  }
}
