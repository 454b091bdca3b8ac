import type { EngineInput } from './engine.ts'
import type { MeshEvents, MeshOptions } from './init.ts'
import { keyOf } from './key-of.ts'
import type { Application, Clock, ProposedBlock, Transport } from './ports.ts'

/** A proposer that contradicts itself is proven to by two; more would only cost work. */
const MAX_PROPOSED_IN_ROUND = 2

/** What says that a value is worth its block. */
export interface Name {
  readonly round: number
  readonly validRound: number
  readonly proposer: Uint8Array
}

interface Candidate {
  readonly value: Uint8Array
  /** one for each round */
  readonly names: Name[]
  /** of the names, how many the engine was told of */
  told: number
  block: ProposedBlock | undefined
  /** undefined until it is checked, and durable where it is valid */
  isValid: boolean | undefined
  cancelRequest: () => void
  /** what comes next for it */
  job: (() => Promise<void>) | undefined
}

export interface BlocksInit {
  readonly height: number
  readonly application: Pick<Application, 'check' | 'persist' | 'read'>
  readonly transport: Pick<Transport, 'requestBlock'>
  readonly clock: Clock
  readonly events: Pick<MeshEvents, 'onInvalidBlock'>
  readonly options: Pick<MeshOptions, 'blockMs' | 'maxBlocks' | 'maxUnnamedBlocks'>
  give(input: EngineInput): void
  /** application or disk failed */
  onFail(cause: unknown): void
}

/**
 * Blocks of one height. One is checked and made durable when both are here, it and a proposal (or the votes of a third)
 * that names it, whichever comes first; then the engine is told, for each round in which it was proposed. The disk keeps
 * all of them until the height is over, for any may still be decided: of each round its two proposals at most, and as
 * each round is longer than the one before, no more than some hundred rounds fit into a day without a decision.
 */
export class Blocks {
  /** that this node is in */
  round = -1
  readonly #init: BlocksInit
  readonly #candidates = new Map<string, Candidate>()
  readonly #unnamed = new Map<string, ProposedBlock>()
  /** by round, what its proposer proposed, here or forgotten */
  readonly #proposed = new Map<number, Set<string>>()
  /** one after another; never rejects */
  #work: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(init: BlocksInit) {
    this.#init = init
  }

  /** By a proposal of a round's proposer, its signature checked. */
  propose(value: Uint8Array, name: Name): void {
    const key = keyOf(value)
    const proposed = this.#proposed.get(name.round) ?? new Set()
    if (proposed.size >= MAX_PROPOSED_IN_ROUND && !proposed.has(key)) return
    this.#proposed.set(name.round, proposed.add(key))
    this.name(value, name)
  }

  /** By what an honest validator stands behind. */
  name(value: Uint8Array, name: Name): void {
    if (this.#isClosed) return
    const candidate = this.#candidates.get(keyOf(value))
    if (candidate === undefined) return this.#want(value, name)
    if (isNamed(candidate.names, name.round)) return
    candidate.names.push(name)
    this.#tell(candidate)
  }

  /** Its bytes are those that its value names; one of a round that is over must be named already. */
  add(round: number, block: ProposedBlock): void {
    const key = keyOf(block.value)
    const candidate = this.#candidates.get(key)
    if (candidate !== undefined) return this.#found(candidate, block)
    if (round < this.round || this.#isClosed) return
    this.#unnamed.set(key, block)
    if (this.#unnamed.size > this.#init.options.maxUnnamedBlocks)
      this.#unnamed.delete(this.#unnamed.keys().next().value!)
  }

  /** This node's own, durable, that it proposes itself. */
  addOwn(block: ProposedBlock, name: Name): void {
    const done = { told: 1, isValid: true, cancelRequest: () => {}, job: undefined }
    this.#keep({ value: block.value, names: [name], block, ...done })
  }

  /** @returns a block that was checked and made durable, or built here */
  async get(value: Uint8Array): Promise<ProposedBlock | undefined> {
    return this.#candidates.get(keyOf(value))?.block ?? this.#init.application.read(value)
  }

  /** Whether a block that was proposed in a round is here. */
  has(round: number): boolean {
    return [...this.#candidates.values()].some(({ block, names }) => block !== undefined && isNamed(names, round))
  }

  /** A new engine may know of none. */
  tellAgain(): void {
    for (const candidate of this.#candidates.values()) {
      candidate.told = 0
      this.#tell(candidate)
    }
  }

  close(): void {
    this.#isClosed = true
    for (const { cancelRequest } of this.#candidates.values()) cancelRequest()
  }

  /** Resolves when the application is not at work for it. */
  async settled(): Promise<void> {
    await this.#work
  }

  #want(value: Uint8Array, name: Name): void {
    const key = keyOf(value)
    const none = { block: undefined, isValid: undefined, cancelRequest: () => {}, job: undefined }
    const candidate: Candidate = { value, names: [name], told: 0, ...none }
    if (!this.#keep(candidate)) return
    const block = this.#unnamed.get(key)
    this.#unnamed.delete(key)
    if (block !== undefined) return this.#found(candidate, block)
    // It may be durable here: from before a restart, or since a round long ago.
    this.#enqueue(candidate, () => this.#recover(candidate))
    this.#requestLater(candidate)
  }

  /** The furthest from the present round goes where there are too many. @returns whether it is not this one */
  #keep(candidate: Candidate): boolean {
    this.#candidates.set(keyOf(candidate.value), candidate)
    if (this.#candidates.size <= this.#init.options.maxBlocks) return true
    const furthest = [...this.#candidates.values()].reduce((far, one) =>
      this.#farness(one) > this.#farness(far) ? one : far,
    )
    furthest.cancelRequest()
    this.#candidates.delete(keyOf(furthest.value))
    return furthest !== candidate
  }

  /** rounds from the present one */
  #farness({ names }: Candidate): number {
    return Math.abs(names.at(-1)!.round - this.round)
  }

  #requestLater(candidate: Candidate): void {
    candidate.cancelRequest = this.#init.clock.after(this.#init.options.blockMs, () => {
      this.#init.transport.requestBlock(this.#init.height, candidate.value)
      this.#requestLater(candidate)
    })
  }

  #found(candidate: Candidate, block: ProposedBlock): void {
    if (candidate.block !== undefined || this.#isClosed) return
    candidate.block = block
    candidate.cancelRequest()
    this.#enqueue(candidate, () => this.#check(candidate, block))
  }

  #enqueue(candidate: Candidate, job: () => Promise<void>): void {
    candidate.job = job
    this.#work = this.#work.then(() => this.#workOnNearest()).catch((cause: unknown) => this.#init.onFail(cause))
  }

  /** What is proposed for rounds far ahead does not hold up the present one. */
  async #workOnNearest(): Promise<void> {
    const waiting = [...this.#candidates.values()].filter(({ job }) => job !== undefined)
    if (this.#isClosed || waiting.length === 0) return
    const nearest = waiting.reduce((near, one) => (this.#farness(one) < this.#farness(near) ? one : near))
    const { job } = nearest
    nearest.job = undefined
    await job!()
  }

  /** What was made durable had been checked. */
  async #recover(candidate: Candidate): Promise<void> {
    const block = await this.#init.application.read(candidate.value)
    if (block === undefined || candidate.block !== undefined) return
    candidate.block = block
    candidate.cancelRequest()
    this.#judge(candidate, true)
  }

  async #check(candidate: Candidate, block: ProposedBlock): Promise<void> {
    const { application, events } = this.#init
    const { proposer } = candidate.names[0]!
    const code = await application.check(block, proposer)
    if (this.#isClosed) return
    if (code === undefined) await application.persist(block)
    else events.onInvalidBlock?.(code, proposer)
    this.#judge(candidate, code === undefined)
  }

  #judge(candidate: Candidate, isValid: boolean): void {
    candidate.isValid = isValid
    this.#tell(candidate)
  }

  #tell(candidate: Candidate): void {
    const { value, names, isValid } = candidate
    if (isValid === undefined) return
    while (candidate.told < names.length && !this.#isClosed)
      this.#init.give({ type: 'block', value, valid: isValid, ...names[candidate.told++]! })
  }
}

function isNamed(names: readonly Name[], round: number): boolean {
  return names.some((name) => name.round === round)
}
