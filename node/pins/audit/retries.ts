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
    this.delete(retry)
    if (this.#waiting.size < MAX_RETRIES) this.#waiting.set(nameOf(retry), { ...retry, at })
  }

  /** It waits no more: it was proven, or is challenged now. @returns what was to be tried again */
  delete(copy: Pick<Retry, 'cid' | 'peerId'>): Retry | undefined {
    const retry = this.#waiting.get(nameOf(copy))
    this.#waiting.delete(nameOf(copy))
    return retry
  }

  get dueAt(): number | undefined {
    for (const { at } of this.#waiting.values()) return at
    return undefined
  }

  /** @returns what is due; it waits no more */
  take(now: number): Retry | undefined {
    for (const retry of this.#waiting.values()) return retry.at > now ? undefined : this.delete(retry)
    return undefined
  }
}

function nameOf({ cid, peerId }: Pick<Retry, 'cid' | 'peerId'>): string {
  return `${cid}\u0000${peerId}`
}
