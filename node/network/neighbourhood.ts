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
  #isSettling = false
  #isLooking = false
  #isDue = false

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

  readonly #soon = (): void => {
    if (this.#isLooking) this.#isDue = true
    else this.#lookIn(SETTLE_MS)
  }

  #lookIn(ms: number): void {
    // Those who come together are looked for together; a retry waits for nobody.
    if (!this.#init.wanted() || this.#isSettling) return
    this.#isSettling = ms === SETTLE_MS
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), ms)
  }

  async #look(): Promise<void> {
    this.#isSettling = false
    this.#isLooking = true
    this.#isDue = false
    const isAnswered = await this.#lookUp()
    this.#isLooking = false
    if (this.#stopped.signal.aborted) return
    if (this.#isDue) this.#lookIn(SETTLE_MS)
    else if (!isAnswered && this.#init.libp2p.getPeers().length > 0) this.#lookIn(RETRY_MS)
  }

  /** @returns whether anybody answered: the DHT gives nothing where all have failed */
  async #lookUp(): Promise<boolean> {
    const { libp2p, logger } = this.#init
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(LOOKUP_TIMEOUT_MS)])
    let isAnswered = false
    try {
      const found = libp2p.peerRouting.getClosestPeers(libp2p.peerId.toMultihash().bytes, { signal })
      for await (const { id, multiaddrs } of found) {
        isAnswered = true
        await libp2p.peerStore.merge(id, { multiaddrs })
      }
    } catch (error) {
      logger.forComponent('kairos:neighbourhood')('lookup failed: %s', codeOf(error))
    }
    return isAnswered
  }
}
