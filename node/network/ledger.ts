import { BAN_MS, MAX_BAN_MS, MAX_LEDGER_ENTRIES, SCORE_HALF_LIFE_MS } from './limits.ts'

/** Times are Unix milliseconds. */
export interface Ban {
  peerId: string
  /** Whose address it came from (an IPv4 address or an IPv6 /64); absent over a relay. */
  owner?: string
  until: number
  /** How often it was banned so far, ≥ 1: each time doubles the next. */
  times: number
}

interface Entry {
  points: number
  atMs: number
}

/**
 * What this node holds against peers, by peer id: survives reconnects, which gossipsub's own score does
 * not (F5). Pure: time is an input; `ban-store.ts` keeps the bans on disk.
 */
export class ScoreLedger {
  readonly #entries = new Map<string, Entry>()
  readonly #bans = new Map<string, Ban>()
  readonly #now: () => number

  constructor(now: () => number, bans: Iterable<Ban> = []) {
    this.#now = now
    for (const ban of bans) this.#bans.set(ban.peerId, ban)
  }

  /** @returns points lost, ≤ 0, coming back by half every SCORE_HALF_LIFE_MS */
  score(peerId: string): number {
    const entry = this.#entries.get(peerId)
    if (entry === undefined) return 0
    return entry.points * 0.5 ** (Math.max(0, this.#now() - entry.atMs) / SCORE_HALF_LIFE_MS)
  }

  /** @param points - > 0: taken from the peer's score */
  penalise(peerId: string, points: number): void {
    this.#set(peerId, this.score(peerId) - points)
  }

  /** @returns the ban: 30 minutes at first, doubling to 24 hours */
  ban(peerId: string, owner: string | undefined): Ban {
    const now = this.#now()
    const times = (this.#bans.get(peerId)?.times ?? 0) + 1
    const until = now + Math.min(BAN_MS * 2 ** (times - 1), MAX_BAN_MS)
    const ban: Ban = { peerId, until, times, ...(owner === undefined ? {} : { owner }) }
    this.#bans.delete(peerId)
    this.#bans.set(peerId, ban)
    this.#entries.delete(peerId)
    this.#forgetOldBans(now)
    return ban
  }

  isBanned(peerId: string): boolean {
    return (this.#bans.get(peerId)?.until ?? 0) > this.#now()
  }

  /** @returns how many banned ids came from this owner's address */
  bannedOf(owner: string): number {
    const now = this.#now()
    let count = 0
    for (const ban of this.#bans.values()) if (ban.owner === owner && ban.until > now) count += 1
    return count
  }

  /** Bans in force, and those remembered so that the next one is longer. */
  bans(): Ban[] {
    return [...this.#bans.values()]
  }

  #set(peerId: string, points: number): void {
    this.#entries.delete(peerId)
    this.#entries.set(peerId, { points, atMs: this.#now() })
    if (this.#entries.size > MAX_LEDGER_ENTRIES) dropFirst(this.#entries)
  }

  #forgetOldBans(now: number): void {
    for (const { peerId, until } of this.#bans.values()) if (until + MAX_BAN_MS < now) this.#bans.delete(peerId)
    if (this.#bans.size > MAX_LEDGER_ENTRIES) dropFirst(this.#bans)
  }
}

function dropFirst(map: Map<string, unknown>): void {
  const first = map.keys().next()
  if (first.done !== true) map.delete(first.value)
}
