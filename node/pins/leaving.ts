const FIRST_WAIT_MS = 2_000
const LAST_WAIT_MS = 300_000
/** Entries that one call looks at, due or not. */
const LOOKED_AT = 4_096

interface Wait {
  dueAt: number
  ms: number
}

/** CIDs that are looked at again and again, each twice as long after the last time, until they are deleted. */
export class Leaving {
  /** who was looked at longest ago comes first */
  readonly #waits = new Map<string, Wait>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#waits.size
  }

  has(cid: string): boolean {
    return this.#waits.has(cid)
  }

  /** Due at once, also when it is there: something about it has changed. */
  add(cid: string): void {
    this.#waits.set(cid, { dueAt: this.#now(), ms: FIRST_WAIT_MS })
  }

  delete(cid: string): void {
    this.#waits.delete(cid)
  }

  /** @returns at most so many whose time has come; they wait again */
  due(limit: number): string[] {
    const now = this.#now()
    const due: string[] = []
    // What is looked at goes to the end: each is met once.
    for (const [cid, wait] of this.#waits.entries().take(Math.min(this.#waits.size, LOOKED_AT))) {
      if (due.length === limit) break
      this.#waits.delete(cid)
      this.#waits.set(cid, wait)
      if (wait.dueAt > now) continue
      wait.dueAt = now + wait.ms
      wait.ms = Math.min(2 * wait.ms, LAST_WAIT_MS)
      due.push(cid)
    }
    return due
  }
}
