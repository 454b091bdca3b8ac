import type { PeerId } from '@libp2p/interface'
import { codeOf, messageOf } from '../../protocols/shared/errors.ts'
import { ignore, reject } from '../../protocols/shared/verdict.ts'
import type { SyncHead } from '../../protocols/sync/index.ts'
import { HEADS_AT_ONCE, type FollowInit, type FollowOptions } from './follow-types.ts'

/** A peer that answered: what it says of itself. */
export interface Source {
  readonly peer: PeerId
  readonly height: number
  readonly lowest: number
}

/** What no honest peer does. Codes of `verify` count too. */
const FAULT = /^E_(FRAME_.*|SYNC_PROTOCOL|SYNC_SHORT)$/

interface Pause {
  times: number
  untilMs: number
}

/** Who can be asked, how far they are, and who failed lately. */
export class FollowPeers {
  readonly #init: Pick<FollowInit, 'client' | 'peers' | 'judge' | 'log'>
  readonly #options: FollowOptions
  readonly #pauses = new Map<string, Pause>()
  /** heights that peers said they have */
  readonly #heard = new Map<string, number>()

  constructor(init: Pick<FollowInit, 'client' | 'peers' | 'judge' | 'log'>, options: FollowOptions) {
    this.#init = init
    this.#options = options
  }

  /** The highest that any peer says it has, which may be a lie. */
  get best(): number {
    return Math.max(0, ...this.#known().map(([, height]) => height))
  }

  heard(peer: PeerId, height: number): void {
    this.#heard.set(peer.toString(), height)
  }

  /** Asks some that have not failed lately, in an order of chance. @returns those that answered soon */
  async ask(signal: AbortSignal, count = HEADS_AT_ONCE): Promise<Source[]> {
    const peers = this.#choose(count)
    const found: Source[] = []
    const first = Promise.withResolvers<void>()
    const asked = peers.map(async (peer) => {
      const head = await this.#head(peer, signal)
      if (head === undefined) return
      found.push({ peer, ...head })
      first.resolve()
    })
    await Promise.race([Promise.all(asked), first.promise.then(() => delay(this.#options.moreHeadsMs, signal))])
    return [...found]
  }

  /** It gave an epoch that does not verify. */
  lied(peer: PeerId, code: string): void {
    this.#init.log('%p gave an epoch that is none - %s', peer, code)
    this.#pause(peer)
    this.#init.judge(peer, reject(code))
  }

  /** It did not give what it said that it has. */
  failed(peer: PeerId, error: unknown): void {
    const code = codeOf(error)
    this.#init.log('%p was no help - %s %s', peer, code, messageOf(error))
    this.#pause(peer)
    this.#init.judge(peer, FAULT.test(code) ? reject(code) : ignore(code))
  }

  /** It gave what was asked for. */
  helped(peer: PeerId): void {
    this.#pauses.delete(peer.toString())
  }

  async #head(peer: PeerId, signal: AbortSignal): Promise<SyncHead | undefined> {
    try {
      const head = await this.#init.client.head(peer, signal)
      this.heard(peer, head.height)
      return head
    } catch (error) {
      if (!signal.aborted) this.failed(peer, error)
      return undefined
    }
  }

  /** Rather one that failed than nobody. */
  #choose(count: number): PeerId[] {
    const now = performance.now()
    const peers = this.#init.peers()
    const known = new Set(peers.map(String))
    for (const map of [this.#pauses, this.#heard]) for (const id of map.keys()) if (!known.has(id)) map.delete(id)
    const available = shuffled(peers.filter((peer) => this.#pausedUntil(peer.toString()) <= now))
    if (available.length > 0) return available.slice(0, count)
    return peers.toSorted((a, b) => this.#pausedUntil(String(a)) - this.#pausedUntil(String(b))).slice(0, 1)
  }

  #known(): [string, number][] {
    const now = performance.now()
    return [...this.#heard].filter(([id]) => this.#pausedUntil(id) <= now)
  }

  #pausedUntil(id: string): number {
    return this.#pauses.get(id)?.untilMs ?? 0
  }

  #pause(peer: PeerId): void {
    const { pauseMs, maxPauseMs } = this.#options
    const times = (this.#pauses.get(peer.toString())?.times ?? 0) + 1
    const ms = Math.min(pauseMs * 2 ** (times - 1), maxPauseMs)
    this.#pauses.set(peer.toString(), { times, untilMs: performance.now() + ms })
  }
}

/** Resolves after `ms`, or when the signal aborts. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const stop = (): void => resolve()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) resolve()
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  })
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
