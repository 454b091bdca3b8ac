import { MAX_RETRIES } from './constants.ts'

export interface Retry {
  readonly cid: string
  readonly peerId: string
  /** Multihashes that were not proven; undefined for any. */
  readonly blocks: readonly Uint8Array[] | undefined
}

/** Copies that are challenged again before their next visit. */
export class Retries {
  readonly #waiting = new Map<string, Retry & { readonly at: number }>()

  /** @param at - when it is due, Unix milliseconds; for all the same time from now, so that they are in order */
  add(retry: Retry, at: number): void {
    const name = `${retry.cid}\u0000${retry.peerId}`
    this.#waiting.delete(name)
    if (this.#waiting.size < MAX_RETRIES) this.#waiting.set(name, { ...retry, at })
  }

  get dueAt(): number | undefined {
    for (const { at } of this.#waiting.values()) return at
    return undefined
  }

  /** @returns what is due; it waits no more */
  take(now: number): Retry | undefined {
    for (const [name, retry] of this.#waiting) {
      if (retry.at > now) return undefined
      this.#waiting.delete(name)
      return retry
    }
    return undefined
  }
}
