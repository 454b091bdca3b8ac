import { CID } from 'multiformats/cid'
import { CodedError } from '../shared/errors.ts'
import { unlessAborted } from '../shared/unless-aborted.ts'
import { answerCodec, type Block, type Request } from './codec.ts'
import { MAX_PUSHED_BLOCKS, PUSH_IDLE_MS, PUSH_WINDOW_BLOCKS, PUSH_WINDOW_BYTES } from './constants.ts'
import { writeFrame } from './frame-stream.ts'
import { parseCid, type Served } from './serve-wants.ts'

/** Blocks that no collection of garbage takes until `release`. */
export interface Lease {
  /** Resolves when no collection takes the block any more. */
  add(cid: CID): Promise<void> | void
  release(): void
}

export interface PushSink {
  /** Whether the bytes are those of the CID. */
  matches(cid: CID, bytes: Uint8Array): Promise<boolean>
  /** Resolves when the block is durable. @throws {CodedError} E_QUOTA, E_BLOCK_TOO_LARGE, E_DISK_FULL, … */
  put(cid: CID, bytes: Uint8Array): Promise<void>
}

/**
 * Stores what a member pushes, acknowledges what is durable.
 *
 * @returns the block that was pushed last
 * @throws {CodedError} E_BLOCKS_WRONG, E_BLOCKS_LIMIT, E_BLOCKS_PROTOCOL, E_FRAME_* for the pusher's fault; E_BLOCKS_BUSY,
 * E_BLOCKS_STALLED; or what `put` failed with
 */
export async function servePush(
  served: Served,
  { sink, lease, idleMs = PUSH_IDLE_MS }: { sink: PushSink; lease: Lease; idleMs?: number },
): Promise<CID | undefined> {
  const push = new Push(served, sink, lease)
  const next = (): Promise<Request | undefined> => push.unlessFailed(within(idleMs, served.next()))
  for (let request = await next(); request !== undefined; request = await next()) {
    if (request.type !== 'push') throw new CodedError('E_BLOCKS_PROTOCOL', 'wants on a stream of a push')
    push.accept(request.blocks)
  }
  await push.settled()
  return push.last
}

async function within<T>(idleMs: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new CodedError('E_BLOCKS_STALLED', 'nothing more was pushed')), idleMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

class Push {
  readonly #served: Served
  readonly #sink: PushSink
  readonly #lease: Lease
  readonly #writing = new Set<Promise<void>>()
  last: CID | undefined
  #stored: Block[] = []
  #acknowledging: Promise<void> | undefined
  #bytes = 0
  #blocks = 0
  #total = 0
  /** Aborts with what storing or acknowledging has failed with. */
  readonly #failed = new AbortController()

  constructor(served: Served, sink: PushSink, lease: Lease) {
    this.#served = served
    this.#sink = sink
    this.#lease = lease
  }

  /** Waits for this work, and no longer when storing or acknowledging has failed: rejects with what that failed with. */
  unlessFailed<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(work, this.#failed.signal)
  }

  accept(blocks: readonly Block[]): void {
    for (const block of blocks) {
      const cid = parseCid(block.cid)
      this.#count(block)
      this.last = cid
      const writing = this.#store(cid, block)
      this.#writing.add(writing)
      void writing.finally(() => this.#writing.delete(writing))
    }
  }

  async settled(): Promise<void> {
    const all = async (): Promise<void> => {
      await Promise.all(this.#writing)
      await this.#acknowledging
    }
    await this.unlessFailed(all())
  }

  #count({ bytes }: Block): void {
    this.#bytes += bytes.byteLength
    this.#blocks++
    if (++this.#total > MAX_PUSHED_BLOCKS) throw new CodedError('E_BLOCKS_BUSY', 'no more in one push: it is fetched')
    if (this.#bytes > PUSH_WINDOW_BYTES || this.#blocks > PUSH_WINDOW_BLOCKS) {
      throw new CodedError('E_BLOCKS_LIMIT', 'more was pushed than was acknowledged and the window allows')
    }
  }

  async #store(cid: CID, block: Block): Promise<void> {
    try {
      if (!(await this.#sink.matches(cid, block.bytes))) {
        throw new CodedError('E_BLOCKS_WRONG', `the bytes pushed as ${cid} are others`)
      }
      // Before it is stored, so that no collection comes between.
      await this.#lease.add(cid)
      await this.#sink.put(cid, block.bytes)
    } catch (error) {
      this.#failed.abort(error)
      return
    }
    this.#stored.push(block)
    this.#acknowledging ??= this.#acknowledge()
  }

  /** All that became durable in this turn, in one frame. */
  async #acknowledge(): Promise<void> {
    try {
      await new Promise((resolve) => setImmediate(resolve))
      while (this.#stored.length > 0) {
        const stored = this.#stored.splice(0)
        // First, as the pusher may push more as soon as it reads this.
        this.#blocks -= stored.length
        this.#bytes -= stored.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
        const cids = stored.map(({ cid }) => cid)
        await writeFrame(this.#served.stream, answerCodec.encode({ type: 'stored', cids }), this.#served.signal)
      }
    } catch (error) {
      this.#failed.abort(error)
    } finally {
      this.#acknowledging = undefined
    }
  }
}
