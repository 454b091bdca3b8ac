import type { ComponentLogger, Libp2p } from '@libp2p/interface'
import { codeOf } from '../../protocols/shared/errors.ts'
import type { Service } from '../service.ts'

/** Peers that arrive together are asked together. */
const SETTLE_MS = 500
const LOOKUP_TIMEOUT_MS = 10_000
const RETRY_MS = 10_000

export interface NeighbourhoodInit {
  libp2p: Libp2p
  logger: ComponentLogger
  /** Whether more peers are wanted at all. */
  wanted(): boolean
}

/**
 * Asks the DHT for this node's own neighbours whenever a peer has joined: kad-dht does so at its start and
 * then every five minutes, which leaves those who come together strangers until then. What it finds goes
 * through `peer:discovery`.
 */
export class Neighbourhood implements Service {
  readonly name = 'neighbourhood'
  readonly #init: NeighbourhoodInit
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #isLooking = false
  #dueMs = Infinity

  constructor(init: NeighbourhoodInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    this.#init.libp2p.addEventListener('peer:identify', this.#soon)
  }

  async stop(): Promise<void> {
    this.#init.libp2p.removeEventListener('peer:identify', this.#soon)
    this.#stopped.abort()
    clearTimeout(this.#timer)
  }

  readonly #soon = (): void => this.#lookIn(SETTLE_MS)

  /** Or earlier, where that is due; after the look that is under way. */
  #lookIn(ms: number): void {
    if (!this.#init.wanted()) return
    this.#dueMs = Math.min(this.#dueMs, performance.now() + ms)
    if (this.#isLooking) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, this.#dueMs - performance.now()))
  }

  async #look(): Promise<void> {
    this.#dueMs = Infinity
    this.#isLooking = true
    const isAnswered = await this.#lookUp()
    this.#isLooking = false
    if (this.#stopped.signal.aborted) return
    if (this.#dueMs < Infinity) this.#lookIn(SETTLE_MS)
    else if (!isAnswered && this.#init.libp2p.getPeers().length > 0) this.#lookIn(RETRY_MS)
  }

  /** @returns whether the DHT answered */
  async #lookUp(): Promise<boolean> {
    const { libp2p, logger } = this.#init
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(LOOKUP_TIMEOUT_MS)])
    try {
      const found = libp2p.peerRouting.getClosestPeers(libp2p.peerId.toMultihash().bytes, { signal })
      for await (const { id, multiaddrs } of found) await libp2p.peerStore.merge(id, { multiaddrs })
      return true
    } catch (error) {
      logger.forComponent('kairos:neighbourhood')('lookup failed: %s', codeOf(error))
      return false
    }
  }
}
