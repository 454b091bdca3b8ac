import { MIN_COST_BYTES, READ_BYTES_PER_MINUTE, READ_BYTES_PER_MINUTE_PER_PEER } from './constants.ts'

const ALL = ''

interface Account {
  left: number
  at: number
}

/** How much may be read for each peer, and for all: a minute's worth at once, and what has come back since. */
export class ReadBudget {
  readonly #accounts = new Map<string, Account>()
  readonly #now: () => number

  /** @param now - milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  has(peer: string): boolean {
    return this.#account(peer).left > 0 && this.#account(ALL).left > 0
  }

  /** What is read is known only afterwards, so one block may be over the budget. */
  spend(peer: string, bytes: number): void {
    const cost = Math.max(bytes, MIN_COST_BYTES)
    this.#account(peer).left -= cost
    this.#account(ALL).left -= cost
  }

  #account(peer: string): Account {
    const now = this.#now()
    const limit = peer === ALL ? READ_BYTES_PER_MINUTE : READ_BYTES_PER_MINUTE_PER_PEER
    const account = this.#accounts.get(peer) ?? { left: limit, at: now }
    account.left = Math.min(limit, account.left + ((now - account.at) * limit) / 60_000)
    account.at = now
    // Whoever is here is of the cell, so they are few.
    this.#accounts.set(peer, account)
    return account
  }
}
