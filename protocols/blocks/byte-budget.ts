import { CodedError } from '../shared/errors.ts'

interface Waiting {
  peer: string
  bytes: number
  admit(): void
}

/** Bytes that may be in memory for peers: so many for one of them, so many in all. Who does not fit waits in order. */
export class ByteBudget {
  readonly #total: number
  readonly #perPeer: number
  readonly #used = new Map<string, number>()
  readonly #waiting = new Set<Waiting>()
  #free: number

  constructor(total: number, perPeer: number) {
    this.#total = total
    this.#perPeer = perPeer
    this.#free = total
  }

  get usedBytes(): number {
    return this.#total - this.#free
  }

  /** @param bytes - ≤ the budget of one peer. @returns a way to give them back, to be called once */
  async reserve(peer: string, bytes: number, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw aborted(signal)
    if (this.#waiting.size > 0 || !this.#fits(peer, bytes)) await this.#turn(peer, bytes, signal)
    else this.#take(peer, bytes)
    return () => {
      this.#give(peer, bytes)
    }
  }

  async #turn(peer: string, bytes: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting: Waiting = { peer, bytes, admit: resolve }
    const leave = (): void => {
      if (this.#waiting.delete(waiting)) reject(aborted(signal))
    }
    this.#waiting.add(waiting)
    signal.addEventListener('abort', leave, { once: true })
    this.#admit()
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  /** In order; a peer that is over its own share holds up only itself. */
  #admit(): void {
    for (const waiting of this.#waiting) {
      if (waiting.bytes > this.#free) return
      if (!this.#fits(waiting.peer, waiting.bytes)) continue
      this.#waiting.delete(waiting)
      this.#take(waiting.peer, waiting.bytes)
      waiting.admit()
    }
  }

  #fits(peer: string, bytes: number): boolean {
    return bytes <= this.#free && (this.#used.get(peer) ?? 0) + bytes <= this.#perPeer
  }

  #take(peer: string, bytes: number): void {
    this.#free -= bytes
    this.#used.set(peer, (this.#used.get(peer) ?? 0) + bytes)
  }

  #give(peer: string, bytes: number): void {
    this.#free += bytes
    const left = (this.#used.get(peer) ?? 0) - bytes
    if (left > 0) this.#used.set(peer, left)
    else this.#used.delete(peer)
    this.#admit()
  }
}

function aborted(signal: AbortSignal): CodedError {
  return new CodedError('E_ABORTED', 'cancelled', { cause: signal.reason })
}
