import type { CodedError } from '../../protocols/shared/errors.ts'
import { noQuorum } from './proposals.ts'

interface Waiting {
  readonly deadline: number
  readonly resolve: () => void
  readonly reject: (error: CodedError) => void
}

interface Asked {
  readonly waiting: Waiting[]
  readonly askedAt: number
}

/**
 * Linearizable reads by read index (Raft §6.4): a read may look at the local state once everything that was committed when
 * it was asked is applied here. Reads that come together share one question.
 */
export class Reads {
  readonly #nonce: Uint8Array
  #counter = 0
  #new: Waiting[] = []
  readonly #asked = new Map<string, Asked>()
  /** answered, by the index that has to be applied */
  readonly #indexed: { readonly index: number; readonly waiting: Waiting[] }[] = []

  /** @param nonce - of this start of this member: a question's context must never come twice */
  constructor(nonce: Uint8Array) {
    this.#nonce = nonce
  }

  add(deadline: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#new.push({ deadline, resolve, reject })
    return promise
  }

  /** @returns the context to ask with, undefined when nobody wants to read */
  ask(now: number): Uint8Array | undefined {
    if (this.#new.length === 0) return undefined
    const context = new Uint8Array(this.#nonce.length + 8)
    context.set(this.#nonce)
    new DataView(context.buffer).setBigUint64(this.#nonce.length, BigInt(++this.#counter))
    this.#asked.set(keyOf(context), { waiting: this.#new, askedAt: now })
    this.#new = []
    return context
  }

  answered(context: Uint8Array, index: number, applied: number): void {
    const asked = this.#asked.get(keyOf(context))
    if (asked === undefined) return
    this.#asked.delete(keyOf(context))
    this.#indexed.push({ index, waiting: asked.waiting })
    this.applied(applied)
  }

  applied(index: number): void {
    for (let at = this.#indexed.length - 1; at >= 0; at--) {
      const read = this.#indexed[at]!
      if (read.index > index) continue
      this.#indexed.splice(at, 1)
      for (const { resolve } of read.waiting) resolve()
    }
  }

  /** Asks again, under a new context, what got no answer: a leader without a committed entry of its term gives none. */
  retry(now: number, afterMs: number): void {
    for (const [key, { waiting, askedAt }] of this.#asked) {
      if (now - askedAt < afterMs) continue
      this.#asked.delete(key)
      this.#new.push(...waiting)
    }
  }

  expire(now: number): void {
    this.#new = keepLive(this.#new, now)
    for (const [key, asked] of this.#asked) {
      const waiting = keepLive(asked.waiting, now)
      if (waiting.length === 0) this.#asked.delete(key)
      else this.#asked.set(key, { ...asked, waiting })
    }
    for (const [at, read] of this.#indexed.entries())
      this.#indexed[at] = { ...read, waiting: keepLive(read.waiting, now) }
  }

  failAll(): void {
    this.expire(Infinity)
  }
}

function keepLive(waiting: readonly Waiting[], now: number): Waiting[] {
  return waiting.filter((one) => {
    if (one.deadline > now) return true
    one.reject(noQuorum('nothing was read'))
    return false
  })
}

function keyOf(context: Uint8Array): string {
  return String.fromCharCode(...context)
}
