import type { Logger } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { MAX_PROVIDES } from './constants.ts'

export type Provide = (cid: CID, signal: AbortSignal) => Promise<void>

/**
 * Tells the DHT about roots in the background, one at a time: a provide may take a minute in a
 * small or broken mesh, and nobody waits for it. Over MAX_PROVIDES waiting, further roots are
 * dropped and logged; connected peers find them without the DHT.
 */
export class Provider {
  readonly #provide: Provide | undefined
  readonly #log: Logger
  readonly #waiting = new Map<string, CID>()
  readonly #stopped = new AbortController()
  #running = false

  constructor(provide: Provide | undefined, log: Logger) {
    this.#provide = provide
    this.#log = log
  }

  provide(root: CID): void {
    if (this.#provide === undefined || this.#stopped.signal.aborted) return
    if (this.#waiting.size >= MAX_PROVIDES) {
      this.#log.error('too many roots to provide, dropped %c', root)
      return
    }
    this.#waiting.set(root.toString(), root)
    if (!this.#running) void this.#run(this.#provide)
  }

  stop(): void {
    this.#stopped.abort()
    this.#waiting.clear()
  }

  async #run(provide: Provide): Promise<void> {
    this.#running = true
    for (const [key, root] of this.#waiting) {
      this.#waiting.delete(key)
      await provide(root, this.#stopped.signal).catch((error: unknown) => {
        if (!this.#stopped.signal.aborted) this.#log.error('could not provide %c - %e', root, error)
      })
    }
    this.#running = false
  }
}
