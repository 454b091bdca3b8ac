import { createHash } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { equals } from 'uint8arrays/equals'
import { CodedError, codeOf } from '../shared/errors.ts'
import { reject, type Verdict } from '../shared/verdict.ts'
import { requestBlocks, type OpenStream, type RequestOptions } from './client.ts'
import { FETCH_CONCURRENCY, MAX_CIDS, MAX_SNAPSHOT_BLOCKS } from './constants.ts'

const SHA2_256 = 0x12

export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

/** Blocks of a snapshot that came from the peer, and those that were here. */
interface Fetched {
  fetched: number
  found: number
}

interface FetchInit extends RequestOptions {
  open: OpenStream
  peer: PeerId
  /** A block that is here, perhaps without those below it: from a fetch that was broken off. */
  get(cid: CID): Promise<Uint8Array | undefined>
  /** Durable when it resolves. */
  put(blocks: readonly Block[]): Promise<void>
  /** The blocks that a block links to. @throws when it is none of the tree's */
  links(block: Block): readonly CID[]
  judge(peer: PeerId, verdict: Verdict): void
}

/**
 * Brings everything below `root` here, a few requests at a time. What was found last is asked for first, so that little
 * is known of at a time: of each level what a few blocks link to. Broken off, it goes on where it was:
 * what is here is read, not asked for.
 *
 * @throws {CodedError} E_RAFT_BLOCK_MISSING, E_RAFT_BLOCK_WRONG (the peer is judged), E_RAFT_SNAPSHOT_TOO_LARGE,
 * and the codes of `requestBlocks`
 */
export async function fetchSnapshot(root: CID, init: FetchInit): Promise<Fetched> {
  return new Fetch(init).run(root)
}

class Fetch {
  readonly #init: FetchInit
  readonly #failed = new AbortController()
  readonly #options: RequestOptions
  /** known of, and not looked at yet */
  readonly #ahead: CID[] = []
  /** batches that are being looked at */
  #looking = 0
  #seen = 0
  #learned = Promise.withResolvers<void>()
  readonly #count: Fetched = { fetched: 0, found: 0 }

  constructor(init: FetchInit) {
    this.#init = init
    const signal = AbortSignal.any([init.signal, this.#failed.signal])
    this.#options = init.timeoutMs === undefined ? { signal } : { signal, timeoutMs: init.timeoutMs }
  }

  async run(root: CID): Promise<Fetched> {
    this.#learn([root])
    await this.#all(Array.from({ length: FETCH_CONCURRENCY }, () => this.#work()))
    return this.#count
  }

  /** Until nothing is known of that was not looked at, and nobody is about to learn of more. */
  async #work(): Promise<void> {
    for (;;) {
      const batch = this.#ahead.splice(-MAX_CIDS)
      if (batch.length > 0) await this.#look(batch)
      else if (this.#looking > 0) await this.#learned.promise
      else return
    }
  }

  async #look(cids: readonly CID[]): Promise<void> {
    this.#looking++
    try {
      for await (const block of this.#blocks(cids)) this.#learn(this.#linksOf(block))
    } finally {
      this.#looking--
      this.#wake()
    }
  }

  #learn(cids: readonly CID[]): void {
    this.#seen += cids.length
    if (this.#seen > MAX_SNAPSHOT_BLOCKS) {
      throw new CodedError('E_RAFT_SNAPSHOT_TOO_LARGE', `more than ${MAX_SNAPSHOT_BLOCKS} blocks`)
    }
    for (const cid of cids) this.#ahead.push(cid)
    if (cids.length > 0) this.#wake()
  }

  #wake(): void {
    this.#learned.resolve()
    this.#learned = Promise.withResolvers()
  }

  /** Waits for all of them also when one fails, so that nothing is put after the end. */
  async #all(work: readonly Promise<void>[]): Promise<void> {
    for (const one of work) one.catch((error: unknown) => this.#failed.abort(error))
    await Promise.allSettled(work)
    await Promise.all(this.#failed.signal.aborted ? [Promise.reject(this.#failed.signal.reason as Error)] : work)
  }

  async *#blocks(cids: readonly CID[]): AsyncGenerator<Block> {
    const missing: CID[] = []
    for (const cid of cids) {
      this.#options.signal.throwIfAborted()
      const bytes = await this.#init.get(cid)
      if (bytes === undefined) missing.push(cid)
      else {
        this.#count.found += 1
        yield { cid, bytes }
      }
    }
    while (missing.length > 0) {
      const blocks = await this.#ask(missing)
      missing.splice(0, blocks.length)
      await this.#init.put(blocks)
      this.#count.fetched += blocks.length
      yield* blocks
    }
  }

  async #ask(cids: readonly CID[]): Promise<Block[]> {
    const { open, peer, judge } = this.#init
    try {
      const asked = cids.map((cid) => cid.bytes)
      return (await requestBlocks(open, peer, asked, this.#options)).map((bytes, i) => checked(cids[i]!, bytes))
    } catch (error) {
      const code = codeOf(error)
      if (/^E_(FRAME_|RAFT_BLOCK_WRONG)/.test(code)) judge(peer, reject(code))
      throw error
    }
  }

  /** Its hash was the leader's word: a block that is no part of a tree is the peer's fault too. */
  #linksOf(block: Block): readonly CID[] {
    try {
      return this.#init.links(block)
    } catch (cause) {
      this.#init.judge(this.#init.peer, reject('E_RAFT_BLOCK_WRONG'))
      throw new CodedError('E_RAFT_BLOCK_WRONG', `${block.cid} is no block of a state`, { cause })
    }
  }
}

function checked(cid: CID, bytes: Uint8Array | undefined): Block {
  if (bytes === undefined) {
    throw new CodedError('E_RAFT_BLOCK_MISSING', `the member does not have ${cid}`, {
      hint: 'it may have dropped an old snapshot: the leader offers a newer one',
    })
  }
  const digest = cid.multihash.code === SHA2_256 ? createHash('sha256').update(bytes).digest() : undefined
  if (digest === undefined || !equals(digest, cid.multihash.digest)) {
    throw new CodedError('E_RAFT_BLOCK_WRONG', `the bytes are not those of ${cid}`)
  }
  return { cid, bytes }
}
