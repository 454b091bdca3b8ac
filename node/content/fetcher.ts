import type { Helia } from 'helia'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { CodedError } from '../../protocols/shared/errors.ts'
import { collect, type BlockStore } from './block-store.ts'
import { ASK_CHECK_MS, BLOCK_TIMEOUT_MS, MAX_ASKS, MAX_BROADCASTS, REASK_MS } from './constants.ts'
import type { GetBlock } from './dag.ts'
import { Holders, type Holder } from './holders.ts'
import { Semaphore } from './semaphore.ts'
import { SharedTasks } from './shared-tasks.ts'

export interface FetcherInit {
  helia: Helia
  store: BlockStore
  libp2p: Libp2p
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
  readonly #asks = new Semaphore(MAX_ASKS)
  readonly #broadcasts = new Semaphore(MAX_BROADCASTS)
  readonly #fetches = new SharedTasks<Uint8Array>()
  readonly #stopped = new AbortController()

  constructor(init: FetcherInit) {
    this.#init = init
    this.#timeoutMs = init.blockTimeoutMs ?? BLOCK_TIMEOUT_MS
  }

  stop(): void {
    this.#stopped.abort(new CodedError('E_STOPPING', 'the node is stopping'))
  }

  /** A way to get blocks that remembers, for one operation, who holds them. */
  operation(): GetBlock {
    const holders = new Holders()
    return async (cid, signal) => {
      signal.throwIfAborted()
      return (await this.#local(cid)) ?? this.#shared(cid, holders, signal)
    }
  }

  async #local(cid: CID): Promise<Uint8Array | undefined> {
    if (cid.multihash.code === 0) return cid.multihash.digest
    if (!(await this.#init.store.has(cid))) return undefined
    try {
      return await collect(this.#init.store.get(cid))
    } catch (error) {
      if (error instanceof Error && error.name === 'NotFoundError') return undefined
      throw error
    }
  }

  /** One fetch of a block for all that want it: a want repeated within seconds gets no answer from a ledger. */
  async #shared(cid: CID, holders: Holders, signal: AbortSignal): Promise<Uint8Array> {
    return this.#fetches.run(cid.toString(), AbortSignal.any([signal, this.#stopped.signal]), async (shared) => {
      const tried = new Set<Holder>()
      for (let holder = holders.next(tried); holder !== undefined; holder = holders.next(tried)) {
        tried.add(holder)
        const bytes = await this.#ask(cid, holder, shared)
        if (bytes !== undefined) return bytes
      }
      return this.#broadcast(cid, holders, shared)
    })
  }

  /** @returns the block, or nothing when the peer has it not, is gone or stays silent */
  async #ask(cid: CID, holder: Holder, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#asks.run(async () => {
      holder.asked()
      try {
        while (this.#isConnected(holder.peer) && !holder.isGivenUp()) {
          const answer = await this.#askOnce(cid, holder, signal)
          if (answer !== 'silent') return answer === 'refused' ? undefined : answer
        }
        return undefined
      } finally {
        holder.done()
      }
    }, signal)
  }

  async #askOnce(cid: CID, holder: Holder, signal: AbortSignal): Promise<Uint8Array | 'refused' | 'silent'> {
    const again = new AbortController()
    const check = setInterval(() => {
      if (holder.silentMs() >= REASK_MS || !this.#isConnected(holder.peer)) again.abort()
    }, ASK_CHECK_MS)
    try {
      const limit = { providers: [holder.peer.toCID()], minProviders: 1, maxProviders: 1 }
      // `useNetwork` reaches our router: a "do not have" must not start a search.
      const options = { signal: AbortSignal.any([signal, again.signal]), useNetwork: false }
      const bytes = await collect(this.#init.helia.blockstore.createSession(cid, limit).get(cid, options))
      holder.heard()
      return bytes
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof CodedError) throw error
      return again.signal.aborted ? 'silent' : 'refused'
    } finally {
      clearInterval(check)
    }
  }

  /** Asks every connected peer, and the holders that the DHT names, until one sends the block. */
  async #broadcast(cid: CID, holders: Holders, signal: AbortSignal): Promise<Uint8Array> {
    const timeout = AbortSignal.timeout(this.#timeoutMs)
    const either = AbortSignal.any([signal, timeout])
    try {
      return await this.#broadcasts.run(async () => {
        const onProgress = (event: { type: string; detail?: unknown }): void => {
          if (event.type === 'bitswap:block') holders.add((event.detail as { sender: PeerId }).sender)
        }
        return collect(this.#init.helia.blockstore.get(cid, { signal: either, onProgress }))
      }, either)
    } catch (error) {
      signal.throwIfAborted()
      if (timeout.aborted) throw this.#notFound(cid)
      throw error
    }
  }

  #isConnected(peer: PeerId): boolean {
    return this.#init.libp2p.getConnections(peer).length > 0
  }

  #notFound(cid: CID): CodedError {
    const peers = this.#init.libp2p.getPeers().map((peer) => peer.toString())
    const asked = peers.length === 0 ? 'no peer is connected' : `asked ${peers.length}: ${peers.slice(0, 8).join(', ')}`
    return new CodedError('E_CONTENT_NOT_FOUND', `nobody sent ${cid} within ${this.#timeoutMs / 1000} s`, {
      hint: `${asked}; check the CID, or connect a holder with \`kairos peers connect\``,
    })
  }
}
