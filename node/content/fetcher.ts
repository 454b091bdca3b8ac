import type { Helia } from 'helia'
import type { ComponentLogger, Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { CodedError } from '../../protocols/shared/errors.ts'
import { collect, type BlockStore } from './blocks/index.ts'
import { Cancels } from './cancels.ts'
import { BLOCK_TIMEOUT_MS, MAX_ASKS, MAX_BROADCASTS } from './constants.ts'
import type { GetBlock } from './dag.ts'
import { Holders, type Holder } from './holders.ts'
import { Semaphore } from './semaphore.ts'
import { SharedTasks } from './shared-tasks.ts'
import { Wants } from './wants.ts'

export interface FetcherInit {
  helia: Helia
  store: BlockStore
  libp2p: Libp2p
  log: ComponentLogger
  blockTimeoutMs?: number
}

/**
 * Gets blocks: from the store, else from the mesh.
 *
 * Bitswap itself asks everybody for everything, and gets a block from each holder. So only what
 * no known holder has is asked of all (first of all, a root); the peer that answers is then asked
 * alone for the rest of that operation. Every request ends: by the caller's signal, by the
 * silence of the peer, or by the block's timeout (traps 2, 3, 10).
 */
export class Fetcher {
  readonly #init: FetcherInit
  readonly #timeoutMs: number
  readonly #wants: Wants
  readonly #asks = new Semaphore(MAX_ASKS)
  readonly #broadcasts = new Semaphore(MAX_BROADCASTS)
  readonly #fetches = new SharedTasks<Uint8Array>()
  readonly #stopped = new AbortController()

  constructor(init: FetcherInit) {
    this.#init = init
    this.#timeoutMs = init.blockTimeoutMs ?? BLOCK_TIMEOUT_MS
    const cancels = new Cancels(init.libp2p, init.log.forComponent('kairos:content'))
    this.#wants = new Wants({ helia: init.helia, libp2p: init.libp2p, cancels })
  }

  stop(): void {
    this.#stopped.abort(new CodedError('E_STOPPING', 'the node is stopping'))
  }

  /** A way to get blocks that remembers, for one operation, who holds them. */
  operation(): GetBlock {
    const holders = new Holders()
    return async (cid, signal) => {
      signal.throwIfAborted()
      const either = AbortSignal.any([signal, this.#stopped.signal])
      const remote = (shared: AbortSignal): Promise<Uint8Array> => this.#remote(cid, holders, shared)
      return (await this.#local(cid)) ?? this.#fetches.run(cid.toString(), either, remote)
    }
  }

  async #local(cid: CID): Promise<Uint8Array | undefined> {
    if (cid.multihash.code === 0) return cid.multihash.digest
    try {
      return await collect(this.#init.store.get(cid))
    } catch (error) {
      if (error instanceof Error && error.name === 'NotFoundError') return undefined
      throw error
    }
  }

  async #remote(cid: CID, holders: Holders, signal: AbortSignal): Promise<Uint8Array> {
    const tried = new Set<Holder>()
    for (;;) {
      for (let holder = holders.next(tried); holder !== undefined; holder = holders.next(tried)) {
        const asked = holder
        tried.add(asked)
        const bytes = await this.#asks.run(() => this.#wants.ask(cid, asked, signal), signal)
        if (bytes !== undefined) return bytes
      }
      // One search at a time: whoever is found by it is asked for the other blocks, too.
      if (holders.search === undefined) return holders.searching(this.#broadcast(cid, holders, signal))
      await holders.search
      signal.throwIfAborted()
    }
  }

  async #broadcast(cid: CID, holders: Holders, signal: AbortSignal): Promise<Uint8Array> {
    const timeout = AbortSignal.timeout(this.#timeoutMs)
    const either = AbortSignal.any([signal, timeout])
    try {
      const { bytes, sender } = await this.#broadcasts.run(() => this.#wants.broadcast(cid, either), either)
      if (sender !== undefined) holders.add(sender)
      return bytes
    } catch (error) {
      signal.throwIfAborted()
      throw timeout.aborted ? this.#notFound(cid) : error
    }
  }

  #notFound(cid: CID): CodedError {
    const peers = this.#init.libp2p.getPeers().map((peer) => peer.toString())
    const asked = peers.length === 0 ? 'no peer is connected' : `asked ${peers.length}: ${peers.slice(0, 8).join(', ')}`
    return new CodedError('E_CONTENT_NOT_FOUND', `nobody sent ${cid} within ${this.#timeoutMs / 1000} s`, {
      hint: `${asked}; check the CID, or connect a holder with \`kairos peers connect\``,
    })
  }
}
