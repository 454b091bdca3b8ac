import type { Helia } from 'helia'
import type { ComponentLogger, Libp2p, PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { BlocksClient } from '../../protocols/blocks/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { BlockFetch } from './block-fetch.ts'
import { collect, type BlockStore } from './blocks/index.ts'
import { Cancels } from './cancels.ts'
import { BLOCK_TIMEOUT_MS, MAX_BROADCASTS, REASK_MS } from './constants.ts'
import type { GetBlock } from './dag.ts'
import { FetchError, type FetchProblem } from './fetch-problem.ts'
import { Holders } from './holders.ts'
import { searchBlock } from './search.ts'
import { Semaphore } from './semaphore.ts'
import { SharedTasks } from './shared-tasks.ts'

export interface FetcherInit {
  helia: Helia
  store: BlockStore
  libp2p: Libp2p
  client: BlocksClient
  log: ComponentLogger
  blockTimeoutMs?: number
  /** A block of so many bytes has come from another node, and is stored; for counting. */
  onFetched?: (bytes: number) => void
}

export interface FetchOptions {
  /** Peers that should have the blocks; they are asked before anybody else. */
  holders?: Iterable<PeerId>
  /** Whether the store is left out: for blocks that are damaged there. */
  isRemote?: boolean
  /** Something holds up a block; called again whenever it changes. */
  onProblem?: (problem: FetchProblem) => void
}

/**
 * Gets blocks: from the store, else from the mesh.
 *
 * Bitswap itself asks everybody for everything, and gets a block from each holder. So only what no known holder has is
 * asked of all over it (first of all, a root); the peer that answers is then asked alone for the rest of that operation,
 * over our own protocol. Every request ends: by the caller's signal, by the silence of the peer, or by the block's
 * timeout (traps 2, 3, 10).
 */
export class Fetcher {
  readonly #init: FetcherInit
  readonly #timeoutMs: number
  readonly #cancels: Cancels
  readonly #broadcasts = new Semaphore(MAX_BROADCASTS)
  readonly #fetches = new SharedTasks<Uint8Array>()
  readonly #stopped = new AbortController()

  constructor(init: FetcherInit) {
    this.#init = init
    this.#timeoutMs = init.blockTimeoutMs ?? BLOCK_TIMEOUT_MS
    this.#cancels = new Cancels(init.libp2p, init.log.forComponent('kairos:content'))
  }

  stop(): void {
    this.#stopped.abort(new CodedError('E_STOPPING', 'the node is stopping'))
  }

  /** A way to get blocks that remembers, for one operation, who holds them. What it gives is stored. */
  operation(options: FetchOptions = {}): GetBlock {
    const operation = new Operation(this.#init.client, options)
    const untilStopped = this.#untilStopped()
    return async (cid, signal) => {
      signal.throwIfAborted()
      const local = options.isRemote === true ? undefined : await this.#local(cid)
      if (local !== undefined) return local
      const remote = (shared: AbortSignal): Promise<Uint8Array> => this.#remote(cid, operation, shared)
      return this.#fetches.run(cid.toString(), untilStopped(signal), remote)
    }
  }

  /** All blocks of an operation come with one signal: it is combined once. */
  #untilStopped(): (signal: AbortSignal) => AbortSignal {
    let last: AbortSignal | undefined
    let combined = this.#stopped.signal
    return (signal) => {
      if (signal !== last) combined = AbortSignal.any([signal, this.#stopped.signal])
      last = signal
      return combined
    }
  }

  async #local(cid: CID): Promise<Uint8Array | undefined> {
    if (cid.multihash.code === 0) return cid.multihash.digest
    // What is not here is told by one look at the index; `get` looks again, in its turn.
    if ((await this.#init.store.sizeOf(cid)) === undefined) return undefined
    try {
      return await collect(this.#init.store.get(cid))
    } catch (error) {
      if (error instanceof Error && error.name === 'NotFoundError') return undefined
      throw error
    }
  }

  async #remote(cid: CID, operation: Operation, signal: AbortSignal): Promise<Uint8Array> {
    const { client, store } = this.#init
    const fetch = new BlockFetch({
      cid,
      client,
      signal,
      holders: operation.holders,
      put: async (bytes) => {
        await store.put(cid, bytes)
      },
      search: (either) => this.#search(cid, operation, either),
      onProblem: (code, message) => operation.problem(cid, code, message),
    })
    const bytes = await fetch.run()
    operation.fetched()
    this.#init.onFetched?.(bytes.byteLength)
    return bytes
  }

  async #search(cid: CID, operation: Operation, signal: AbortSignal): Promise<Uint8Array> {
    const timeout = AbortSignal.timeout(this.#timeoutMs)
    const either = AbortSignal.any([signal, timeout])
    const { helia } = this.#init
    const slow = setTimeout(() => operation.problem(cid, 'no_providers', `${this.#asked()} for ${cid}`), REASK_MS)
    try {
      const { bytes, sender } = await this.#broadcasts.run(
        () => searchBlock(cid, { helia, cancels: this.#cancels, signal: either }),
        either,
      )
      if (sender !== undefined) operation.holders.add(sender)
      return bytes
    } catch (error) {
      signal.throwIfAborted()
      throw timeout.aborted ? this.#notFound(cid, operation) : error
    } finally {
      clearTimeout(slow)
    }
  }

  #notFound(cid: CID, operation: Operation): FetchError {
    const message = `nobody sent ${cid} within ${this.#timeoutMs / 1000} s`
    const problem = operation.problemOf(cid) ?? operation.problem(cid, 'no_providers', message)
    const hint = `${this.#asked()}; check the CID, or connect a holder with \`kairos peers connect\``
    return new FetchError(message, problem, hint)
  }

  #asked(): string {
    const peers = this.#init.libp2p.getPeers().map((peer) => peer.toString())
    return peers.length === 0 ? 'no peer is connected' : `asked ${peers.length}: ${peers.slice(0, 8).join(', ')}`
  }
}

/** What one operation knows: who holds its blocks, how far it is, what holds it up. */
class Operation {
  readonly holders: Holders
  readonly #options: FetchOptions
  #problem: FetchProblem | undefined
  #lastBlockMs: number | undefined

  constructor(client: BlocksClient, options: FetchOptions) {
    this.#options = options
    this.holders = new Holders((peer) => client.pending(peer), options.holders)
  }

  fetched(): void {
    this.#lastBlockMs = performance.now()
  }

  problem(cid: CID, code: FetchProblem['code'], message: string): FetchProblem {
    this.#problem = {
      code,
      message,
      missing: cid.toString(),
      ...(this.#lastBlockMs === undefined
        ? {}
        : { lastBlockSecondsAgo: Math.round((performance.now() - this.#lastBlockMs) / 1000) }),
    }
    this.#options.onProblem?.(this.#problem)
    return this.#problem
  }

  problemOf(cid: CID): FetchProblem | undefined {
    return this.#problem?.missing === cid.toString() ? this.#problem : undefined
  }
}
