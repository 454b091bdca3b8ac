import { ACCEPT, ignore, reject, type Verdict } from '../../protocols/shared/verdict.ts'
import { TokenBuckets, type Allowance } from './token-bucket.ts'

/** Authors are members; more than this many at once are not told apart for long. */
const MAX_AUTHORS = 10_000
/** Over budget is ignored; over this many times the budget it is abuse. */
const ABUSE_FACTOR = 10

/**
 * How much one author may say on a topic, whoever carries it. Messages with valid signatures cost
 * everyone a verification and a forward, so the author pays, not the topic.
 */
export class AuthorBudget {
  readonly #allowance: Allowance
  readonly #budget = new TokenBuckets(MAX_AUTHORS)
  readonly #abuse = new TokenBuckets(MAX_AUTHORS)

  constructor(allowance: Allowance) {
    this.#allowance = allowance
  }

  /**
   * @param carrier - who delivered the message. Only the author itself is ever rejected: an honest
   *   carrier forwards what was within budget for it, and many such carriers add up.
   */
  spend(author: string, carrier: string, nowMs: number): Verdict {
    const { ratePerSecond, burst } = this.#allowance
    const far = { ratePerSecond: ratePerSecond * ABUSE_FACTOR, burst: burst * ABUSE_FACTOR }
    const abused = author === carrier && !this.#abuse.take(author, far, nowMs)
    if (this.#budget.take(author, this.#allowance, nowMs)) return ACCEPT
    return abused ? reject('E_GOSSIP_FLOOD') : ignore('E_GOSSIP_BUDGET')
  }
}
