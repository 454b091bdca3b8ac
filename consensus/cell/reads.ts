import { CodedError } from '../../protocols/shared/errors.ts'
import { noQuorum } from './proposals.ts'

interface Waiting {
  readonly deadline: number
  readonly resolve: () => void
  readonly reject: (error: CodedError) => void
  /** `open`: a question must be asked; `answered`: the index that must be applied is known */
  state: 'open' | 'answered' | 'ended'
}

interface Asked {
  waiting: Waiting[]
  readonly askedAt: number
  isRetried: boolean
}

/** Reads in flight at once; what comes beyond is refused. */
export const MAX_READS = 8192

/**
 * Linearizable reads by read index (Raft §6.4): a read may look at the local state once everything that was committed when
 * it was asked is applied here. Reads that come together share one question.
 */
export class Reads {
  readonly #nonce: Uint8Array
  #counter = 0
  #size = 0
  #new: Waiting[] = []
  readonly #asked = new Map<string, Asked>()
  /** answered, by the index that has to be applied */
  readonly #indexed: { readonly index: number; waiting: Waiting[] }[] = []

  /** @param nonce - of this start of this member: a question's context must never come twice */
  constructor(nonce: Uint8Array) {
    this.#nonce = nonce
  }

  /** @throws CodedError E_CELL_BUSY when too many wait */
  add(deadline: number): Promise<void> {
    if (this.#size >= MAX_READS) {
      throw new CodedError('E_CELL_BUSY', `${MAX_READS} reads wait already`, { hint: 'try again in a moment' })
    }
    this.#size += 1
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#new.push({ deadline, resolve, reject, state: 'open' })
    return promise
  }

  /** @returns the context to ask with, undefined when nobody wants to read */
  ask(now: number): Uint8Array | undefined {
    if (this.#new.length === 0) return undefined
    const context = new Uint8Array(this.#nonce.length + 8)
    context.set(this.#nonce)
    new DataView(context.buffer).setBigUint64(this.#nonce.length, BigInt(++this.#counter))
    this.#asked.set(keyOf(context), { waiting: this.#new, askedAt: now, isRetried: false })
    this.#new = []
    return context
  }

  answered(context: Uint8Array, index: number, applied: number): void {
    const asked = this.#asked.get(keyOf(context))
    if (asked === undefined) return
    this.#asked.delete(keyOf(context))
    const waiting = asked.waiting.filter(isOpen)
    for (const one of waiting) one.state = 'answered'
    this.#new = this.#new.filter(isOpen)
    this.#indexed.push({ index, waiting })
    this.applied(applied)
  }

  applied(index: number): void {
    for (let at = this.#indexed.length - 1; at >= 0; at--) {
      const read = this.#indexed[at]!
      if (read.index > index) continue
      this.#indexed.splice(at, 1)
      for (const one of read.waiting) this.#succeed(one)
    }
  }

  /**
   * Asks again, under a new context, what got no answer: a leader without a committed entry of its term gives none. The
   * answer to the first question, if it still comes, is as good: it may only be slow.
   */
  retry(now: number, afterMs: number): void {
    for (const asked of this.#asked.values()) {
      if (asked.isRetried || now - asked.askedAt < afterMs) continue
      asked.isRetried = true
      this.#new.push(...asked.waiting.filter(isOpen))
    }
  }

  expire(now: number): void {
    if (this.#new.length + this.#asked.size + this.#indexed.length === 0) return
    this.#new = this.#keepLive(this.#new, now)
    for (const [key, asked] of this.#asked) {
      asked.waiting = this.#keepLive(asked.waiting, now).filter(isOpen)
      if (asked.waiting.length === 0) this.#asked.delete(key)
    }
    for (const read of this.#indexed) read.waiting = this.#keepLive(read.waiting, now)
  }

  failAll(): void {
    this.expire(Infinity)
  }

  #keepLive(waiting: readonly Waiting[], now: number): Waiting[] {
    return waiting.filter((one) => {
      if (one.deadline > now) return true
      this.#fail(one)
      return false
    })
  }

  #succeed(one: Waiting): void {
    one.state = 'ended'
    this.#size -= 1
    one.resolve()
  }

  /** Whoever was asked for twice stands in two lists, and fails once. */
  #fail(one: Waiting): void {
    if (one.state === 'ended') return
    one.state = 'ended'
    this.#size -= 1
    one.reject(noQuorum('nothing was read'))
  }
}

function isOpen({ state }: Waiting): boolean {
  return state === 'open'
}

function keyOf(context: Uint8Array): string {
  return String.fromCharCode(...context)
}
