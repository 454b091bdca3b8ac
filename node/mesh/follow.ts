import { codeOf, messageOf } from '../../protocols/shared/errors.ts'
import type { Service } from '../service.ts'
import { catchUp } from './follow-catch-up.ts'
import { followOne } from './follow-one.ts'
import { delay, FollowPeers, type Source } from './follow-peers.ts'
import { FollowPace } from './follow-pace.ts'
import {
  FOLLOW_OPTIONS,
  NEAR,
  type FollowInit,
  type FollowOptions,
  type FollowProgress,
  type FollowState,
} from './follow-types.ts'

/** Keeps a node at the head of the record: brings what is missing from several peers, then follows one. */
export interface Follow extends Service {
  readonly progress: FollowProgress
  /** Others decide `height`: a hint of consensus. */
  behind(height: number): void
  /** A peer says in its status that it has got so far: who waits asks it, and then it must bring what it says it has. */
  heard(height: number): void
  /** Peers or this node's part have changed: what waits looks at once; what is under way goes on. */
  look(): void
}

export function createFollow(init: FollowInit): Follow {
  return new Follower(init)
}

class Follower implements Follow {
  readonly name = 'follow'
  readonly #init: FollowInit
  readonly #options: FollowOptions
  readonly #peers: FollowPeers
  readonly #pace: FollowPace
  #stopped = new AbortController()
  #running: Promise<void> | undefined
  #waiting = new AbortController()
  /** that others decide, 0 when nobody said so */
  #hint = 0

  constructor(init: FollowInit) {
    this.#init = init
    this.#options = { ...FOLLOW_OPTIONS, ...init.options }
    this.#peers = new FollowPeers(init, this.#options)
    this.#pace = new FollowPace(init.chain, this.#peers, (progress) => init.onProgress?.(progress))
  }

  get progress(): FollowProgress {
    return this.#pace.progress
  }

  async start(): Promise<void> {
    this.#stopped = new AbortController()
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
    // What it throws has stopped the node.
    await this.#init.chain.settled().catch(() => undefined)
  }

  behind(height: number): void {
    if (height <= this.#hint || height <= this.#init.chain.height + 1) return
    this.#hint = height
    if (this.#pace.state === 'idle') this.look()
  }

  heard(height: number): void {
    if (this.#pace.state === 'waiting' && height > this.#init.chain.height) this.look()
  }

  look(): void {
    this.#waiting.abort()
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped.signal.aborted) {
        this.#waiting = new AbortController()
        await this.#step()
      }
    } catch (error) {
      this.#init.log.error('an epoch that was verified could not be taken - %s %s', codeOf(error), messageOf(error))
      this.#init.onFatal(error)
    }
    this.#pace.enter('stopped')
  }

  async #step(): Promise<void> {
    const { chain } = this.#init
    if (this.#isIdle()) return this.#wait('idle', undefined)
    const sources = await this.#peers.ask(this.#stopped.signal)
    if (this.#stopped.signal.aborted) return
    if (sources.length === 0) return this.#wait('waiting', 'E_SYNC_NOBODY')
    const best = Math.max(...sources.map(({ height }) => height))
    const from = chain.height + 1
    if (best >= from && sources.every(({ height, lowest }) => height < from || lowest > from)) {
      return this.#wait('waiting', 'E_SYNC_PRUNED')
    }
    if (best > chain.height + NEAR || (this.#init.isValidator() && best > chain.height)) await this.#catchUp(sources)
    else await this.#follow(sources)
  }

  /** A validator, and nobody has said more than what is final here. */
  #isIdle(): boolean {
    if (this.#hint <= this.#init.chain.height + 1) this.#hint = 0
    return this.#init.isValidator() && this.#hint === 0
  }

  async #catchUp(sources: readonly Source[]): Promise<void> {
    const { client, chain, verify, take } = this.#init
    const before = chain.height
    this.#pace.enter('catching-up')
    await catchUp({
      client,
      chain,
      verify: (epoch) => verify.call(this.#init, epoch),
      take: (epoch) => take.call(this.#init, epoch),
      peers: this.#peers,
      sources,
      options: this.#options,
      onTaken: () => this.#pace.taken(),
      signal: this.#stopped.signal,
    })
    if (chain.height === before) await this.#wait('catching-up', undefined)
  }

  async #follow(sources: readonly Source[]): Promise<void> {
    const { chain } = this.#init
    if (this.#init.isValidator()) {
      // Nobody who answered has more: the hint was wrong, or comes again.
      this.#hint = 0
      return
    }
    // Of those that have most the one that answered first: it is near, and not busy.
    const best = Math.max(chain.height, ...sources.map(({ height }) => height))
    const source = sources.find(({ height }) => height === best)
    if (source === undefined) return this.#wait('following', undefined)
    this.#pace.enter('following')
    const before = chain.height
    await followOne({
      client: this.#init.client,
      verify: (epoch) => this.#init.verify(epoch),
      take: (epoch) => this.#init.take(epoch),
      isValidator: () => this.#init.isValidator(),
      chain,
      peers: this.#peers,
      source,
      options: this.#options,
      onTaken: () => this.#pace.taken(),
      signal: this.#stopped.signal,
    })
    if (chain.height === before) await this.#wait('following', undefined)
  }

  async #wait(state: FollowState, problem: string | undefined): Promise<void> {
    this.#pace.enter(state, problem)
    const ms = state === 'idle' ? this.#options.checkMs : this.#options.retryMs
    await delay(ms, AbortSignal.any([this.#stopped.signal, this.#waiting.signal]))
  }
}
