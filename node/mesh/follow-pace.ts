import type { FollowPeers } from './follow-peers.ts'
import type { FollowInit, FollowProgress, FollowState } from './follow-types.ts'

const TELL_EVERY_MS = 500

/** What the follower does, how far it has got and how fast. */
export class FollowPace {
  readonly #chain: FollowInit['chain']
  readonly #peers: FollowPeers
  readonly #onProgress: (progress: FollowProgress) => void
  #state: FollowState = 'stopped'
  #problem: string | undefined
  #since = 0
  #taken = 0
  #toldAt = 0

  constructor(chain: FollowInit['chain'], peers: FollowPeers, onProgress: (progress: FollowProgress) => void) {
    this.#chain = chain
    this.#peers = peers
    this.#onProgress = onProgress
  }

  get state(): FollowState {
    return this.#state
  }

  get progress(): FollowProgress {
    const { height } = this.#chain
    const best = Math.max(height, this.#peers.best)
    const seconds = (performance.now() - this.#since) / 1000
    const perSecond = this.#state === 'catching-up' && seconds > 0 ? this.#taken / seconds : 0
    return { state: this.#state, height, best, behind: best - height, perSecond, problem: this.#problem }
  }

  enter(state: FollowState, problem?: string): void {
    if (state === this.#state && problem === this.#problem) return
    if (state !== this.#state) {
      this.#since = performance.now()
      this.#taken = 0
    }
    this.#state = state
    this.#problem = problem
    this.#tell()
  }

  taken(): void {
    this.#taken++
    if (performance.now() - this.#toldAt >= TELL_EVERY_MS) this.#tell()
  }

  #tell(): void {
    this.#toldAt = performance.now()
    this.#onProgress(this.progress)
  }
}
