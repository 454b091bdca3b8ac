import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { statfs } from 'node:fs/promises'
import { NamespaceDatastore } from 'datastore-core'
import { Key } from 'interface-datastore'
import type { CID } from 'multiformats/cid'
import type { Push } from '../../protocols/blocks/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { AddEntry, AddOptions, AddRow, ContentOperations, LsRow, StatDocument, WalkEntry } from '../operations.ts'
import type { RepoOperations } from '../operations-repo.ts'
import { addEntries } from './add.ts'
import { createBlockService, type BlockService } from './block-service.ts'
import { BlockStore, collect } from './blocks/index.ts'
import { MAX_BLOCK_BYTES } from './constants.ts'
import type { GetBlock } from './dag.ts'
import { Fetcher, type FetchOptions } from './fetcher.ts'
import { createBlockExchange, type BlockExchange } from './helia.ts'
import { coded, inOurCodes } from './in-our-codes.ts'
import { parsePath } from './path.ts'
import { createLocalPins, type Lease, type LocalPins } from './pins/index.ts'
import { readFile } from './read.ts'
import { createRepo } from './repo.ts'
import { createRouter, routedProviders } from './routing.ts'
import { originPeers } from './origins.ts'
import { list, resolvePath, walkTree, type TreeOptions } from './tree.ts'
import type { AddHooks, Content, ContentInit, OriginOptions } from './types.ts'
import { exportCar, statDag } from './whole-dag.ts'

export function createContent(init: ContentInit): Content {
  return new ContentService(init)
}

type ByteRange = Parameters<ContentOperations['cat']>[1]
type Read<T> = (cid: CID, tree: TreeOptions) => AsyncIterable<T>

class ContentService implements Content {
  readonly name = 'content'
  readonly #init: ContentInit
  readonly local: LocalPins
  readonly repo: RepoOperations
  readonly #store: BlockStore
  #blocks: BlockService | undefined
  #exchange: BlockExchange | undefined
  #fetcher: Fetcher | undefined

  constructor(init: ContentInit) {
    this.#init = init
    const maxBlockBytes = Math.min(init.limits.maxBlockBytes ?? MAX_BLOCK_BYTES, MAX_BLOCK_BYTES)
    this.#store = new BlockStore({
      path: init.blocksPath,
      quotaBytes: init.limits.quotaBytes,
      maxBlockBytes,
      onStored: (cid) => {
        this.local.stored(cid)
        this.#exchange?.announce(cid)
      },
      onDamaged: (cid) => {
        init.log.forComponent('kairos:content').error('block %c was damaged and is removed', cid)
        this.local.damaged(cid)
      },
      ...(init.onFatal !== undefined && { onFatal: init.onFatal }),
    })
    this.local = createLocalPins({
      sublevel: init.pinIndex,
      store: this.#store,
      onSettled: (root) => this.#blocks?.settled(root),
    })
    this.repo = createRepo({
      store: this.#store,
      pins: this.local,
      path: init.blocksPath,
      quotaBytes: init.limits.quotaBytes,
      fetch: () => this.fetching({ isRemote: true }),
    })
  }

  async start(): Promise<void> {
    if (this.#exchange !== undefined) return
    const { libp2p, datastore, log } = this.#init
    await this.#store.open()
    await this.local.open()
    const findProviders = this.#init.findProviders ?? routedProviders.bind(undefined, libp2p.contentRouting)
    const exchange = await createBlockExchange({
      libp2p,
      // Helia would start and stop a datastore that has such methods; this one is shared.
      datastore: new NamespaceDatastore(datastore, new Key('/helia')),
      blockstore: this.#store,
      router: createRouter(findProviders, libp2p.peerStore),
      log,
    })
    await exchange.helia.start()
    const { blockTimeoutMs } = this.#init.limits
    const { members } = this.#init
    const blocks = createBlockService({
      libp2p,
      store: this.#store,
      members: members && { ...members, lease: () => this.local.hold() },
      log,
    })
    await blocks.start()
    this.#blocks = blocks
    this.#fetcher = new Fetcher({
      helia: exchange.helia,
      store: this.#store,
      libp2p,
      client: blocks.client,
      log,
      onFetched: (bytes) => members?.transferred?.('fetched', 1, bytes),
      ...(blockTimeoutMs === undefined ? {} : { blockTimeoutMs }),
    })
    this.#exchange = exchange
  }

  async stop(): Promise<void> {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#fetcher?.stop()
    this.#fetcher = undefined
    await this.#blocks?.stop()
    this.#blocks = undefined
    await exchange?.helia.stop()
    await this.local.close()
    await this.#store.close()
  }

  fetching(options?: FetchOptions): GetBlock {
    return this.#running().operation(options)
  }

  async pushTo(peer: PeerId, signal: AbortSignal): Promise<Push> {
    this.#running()
    return this.#blocks!.pushTo(peer, signal)
  }

  async usage(): Promise<{ usedBytes: number; quotaBytes: number }> {
    return { usedBytes: await this.#store.usedBytes(), quotaBytes: this.#init.limits.quotaBytes }
  }

  async *add(
    entries: AsyncIterable<AddEntry>,
    options: AddOptions,
    signal: AbortSignal,
    hooks: AddHooks = {},
  ): AsyncGenerator<AddRow> {
    this.#running()
    const lease = hooks.lease ?? this.local.hold()
    const store = {
      put: async (cid: CID, bytes: Uint8Array): Promise<CID> => {
        await this.put(cid, bytes, lease)
        await hooks.onBlock?.(cid, bytes)
        return cid
      },
    }
    let last: CID | undefined
    try {
      for await (const { root, ...row } of coded(signal, addEntries(entries, options, { store, signal }))) {
        last = root
        yield row
      }
    } finally {
      if (hooks.lease === undefined) lease.release()
    }
    if (last !== undefined) this.#init.provide?.(last)
  }

  async put(cid: CID, bytes: Uint8Array, lease: Lease): Promise<void> {
    this.#running()
    await lease.add(cid)
    await this.#store.put(cid, bytes)
  }

  async resolve(path: string, signal: AbortSignal): Promise<CID> {
    try {
      return (await this.#resolve(path, signal)).cid
    } catch (error) {
      throw inOurCodes(signal, error)
    }
  }

  fetch(origins: readonly string[], { members = [], ...options }: OriginOptions = {}): GetBlock {
    const { libp2p } = this.#init
    const isConnected = (peer: PeerId): boolean => libp2p.getConnections(peer).length > 0
    const connected = members.map((member) => peerIdFromString(member)).filter(isConnected)
    return this.fetching({ ...options, holders: [...originPeers(libp2p, origins), ...connected] })
  }

  async stored(cid: CID): Promise<Uint8Array | undefined> {
    return collect(this.#store.get(cid)).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'NotFoundError') return undefined
      throw error
    })
  }

  async space(): Promise<{ freeBytes: number; totalBytes: number }> {
    const { quotaBytes } = this.#init.limits
    const [held, used, disk] = [
      await this.local.stat(),
      await this.#store.usedBytes(),
      await statfs(this.#init.blocksPath),
    ]
    // What no pin holds can go, so it counts as free.
    const onDisk = disk.bavail * disk.bsize + Math.max(0, used - held.bytes)
    return { freeBytes: Math.max(0, Math.min(quotaBytes - held.bytes, onDisk)), totalBytes: quotaBytes }
  }

  async *cat(path: string, range: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* coded(
      signal,
      this.#read(path, signal, (cid, tree) => readFile(cid, { ...tree, ...range })),
    )
  }

  async *walk(path: string, signal: AbortSignal): AsyncGenerator<WalkEntry> {
    for await (const entry of coded(signal, this.#read(path, signal, walkTree))) {
      yield entry.content === undefined ? entry : { ...entry, content: coded(signal, entry.content) }
    }
  }

  async *car(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* coded(signal, this.#read(path, signal, exportCar))
  }

  async *ls(path: string, signal: AbortSignal): AsyncGenerator<LsRow> {
    yield* coded(signal, this.#read(path, signal, list))
  }

  async stat(path: string, signal: AbortSignal): Promise<StatDocument> {
    try {
      const { cid, tree } = await this.#resolve(path, signal)
      return await statDag(cid, tree)
    } catch (error) {
      throw inOurCodes(signal, error)
    }
  }

  async *#read<T>(path: string, signal: AbortSignal, read: Read<T>): AsyncGenerator<T> {
    const { cid, tree } = await this.#resolve(path, signal)
    yield* read(cid, tree)
  }

  async #resolve(path: string, signal: AbortSignal): Promise<{ cid: CID; tree: TreeOptions }> {
    const parsed = parsePath(path)
    const tree = { get: this.#running().operation(), signal }
    return { cid: await resolvePath(parsed, tree), tree }
  }

  #running(): Fetcher {
    if (this.#fetcher === undefined) throw new CodedError('E_STOPPING', 'the content service is not running')
    return this.#fetcher
  }
}
