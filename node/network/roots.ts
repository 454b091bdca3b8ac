import type { ComponentLogger, Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { codeOf } from '../../protocols/shared/errors.ts'
import type { Service } from '../service.ts'
import type { Provider } from './types.ts'

const PROVIDE_TIMEOUT_MS = 60_000
const RETRY_MS = 5_000
/** Roots waiting to be told; what is over is told by kad-dht's own hourly round. */
const MAX_WAITING = 10_000
const PROVIDES_AT_ONCE = 4

/** Tells the DHT which content roots this node holds: roots only, never single blocks. */
export class Roots implements Service {
  readonly name = 'roots'
  readonly #libp2p: Libp2p
  readonly #log: ReturnType<ComponentLogger['forComponent']>
  readonly #waiting = new Map<string, CID>()
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #running = 0

  constructor(libp2p: Libp2p, logger: ComponentLogger) {
    this.#libp2p = libp2p
    this.#log = logger.forComponent('kairos:roots')
  }

  async start(): Promise<void> {
    this.#libp2p.addEventListener('peer:identify', this.#next)
    this.#timer = setInterval(this.#next, RETRY_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopped.abort()
    this.#libp2p.removeEventListener('peer:identify', this.#next)
  }

  provide(root: CID): void {
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(root.toString(), root)
    this.#next()
  }

  async *find(root: CID, signal: AbortSignal): AsyncGenerator<Provider> {
    // The DHT would wait for a first peer.
    if (this.#libp2p.getPeers().length === 0) return
    for await (const { id, multiaddrs } of this.#libp2p.contentRouting.findProviders(root, { signal })) {
      if (id.equals(this.#libp2p.peerId)) continue
      await this.#libp2p.peerStore.merge(id, { multiaddrs })
      yield { peerId: id.toString(), addresses: multiaddrs.map(String) }
    }
  }

  readonly #next = (): void => {
    if (this.#libp2p.getPeers().length === 0) return
    for (const [key, root] of this.#waiting) {
      if (this.#running >= PROVIDES_AT_ONCE || this.#stopped.signal.aborted) return
      this.#waiting.delete(key)
      void this.#tell(key, root)
    }
  }

  async #tell(key: string, root: CID): Promise<void> {
    this.#running += 1
    try {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(PROVIDE_TIMEOUT_MS)])
      await this.#libp2p.contentRouting.provide(root, { signal })
    } catch (error) {
      this.#log('providing %s failed: %s', key, codeOf(error))
      if (this.#waiting.size < MAX_WAITING) this.#waiting.set(key, root)
    } finally {
      this.#running -= 1
    }
  }
}
