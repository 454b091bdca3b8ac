import type { Stream } from '@libp2p/interface'
import { setTimeout as delay } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { CodedError } from '../shared/errors.ts'
import type { Pace } from '../shared/pace.ts'
import type { ByteBudget } from './byte-budget.ts'
import { answerCodec, type Block, type Request } from './codec.ts'
import { BATCH_BYTES, MAX_BLOCK_BYTES } from './constants.ts'
import { costOf } from './cost.ts'
import { writeFrame } from './frame-stream.ts'
import { WantQueue } from './want-queue.ts'

export interface BlockSource {
  /** Bytes of the block, undefined when it is not here. */
  sizeOf(cid: CID): Promise<number | undefined>
  /** Never fails: undefined for what cannot be read. */
  get(cid: CID): Promise<Uint8Array | undefined>
}

export interface WantService {
  readonly source: BlockSource
  readonly budget: ByteBudget
  readonly pace: Pace
  readonly sent: (blocks: number, bytes: number) => void
}

export interface Served {
  readonly stream: Stream
  readonly peer: string
  /** What the peer says next; undefined once it has closed its end. */
  readonly next: () => Promise<Request | undefined>
  /** The stream is gone, or the node stops. */
  readonly signal: AbortSignal
}

interface Batch {
  blocks: Block[]
  absent: Uint8Array[]
  release(): void
}

/**
 * Answers wants in their order. One frame is loaded while the one before it leaves, and both count against the budget:
 * a client that reads nothing costs two frames, however much it wants (traps 5).
 *
 * @throws {CodedError} E_BLOCKS_PROTOCOL, E_BLOCKS_LIMIT, E_FRAME_* for the client's fault, E_BLOCKS_STALLED
 */
export async function serveWants(served: Served, service: WantService): Promise<void> {
  const queue = new WantQueue()
  const left = new AbortController()
  const reading = readWants(served.next, queue).finally(() => {
    queue.end()
    left.abort()
  })
  const signal = AbortSignal.any([served.signal, left.signal])
  const answering = new Answering({ ...served, signal }, queue, service).run().catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  // Whichever ends first ends the stream: the client's leave or fault, or a long idleness or a stall.
  await Promise.race([reading, answering])
  if (left.signal.aborted) await answering
}

async function readWants(next: Served['next'], queue: WantQueue): Promise<void> {
  for (let request = await next(); request !== undefined; request = await next()) {
    if (request.type !== 'want') throw new CodedError('E_BLOCKS_PROTOCOL', 'a push on a stream of wants')
    request.cids.forEach(parseCid)
    queue.add(request)
  }
}

/** @throws {CodedError} E_BLOCKS_PROTOCOL */
export function parseCid(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes)
  } catch (cause) {
    throw new CodedError('E_BLOCKS_PROTOCOL', 'not a CID', { cause })
  }
}

class Answering {
  readonly #served: Served
  readonly #queue: WantQueue
  readonly #service: WantService

  constructor(served: Served, queue: WantQueue, service: WantService) {
    this.#served = served
    this.#queue = queue
    this.#service = service
  }

  async run(): Promise<void> {
    let next = this.#load()
    try {
      for (let batch = await next; batch !== undefined; batch = await next) {
        next = this.#load()
        next.catch(() => {})
        await this.#send(batch)
      }
    } finally {
      next.then((batch) => batch?.release()).catch(() => {})
    }
  }

  async #send({ blocks, absent, release }: Batch): Promise<void> {
    const { stream, peer, signal } = this.#served
    try {
      const sizes = blocks.map(({ bytes }) => bytes.byteLength)
      const waitMs = this.#service.pace.take(peer, costOf(sizes, absent.length), performance.now())
      if (waitMs > 0) await delay(waitMs, undefined, { signal })
      this.#queue.answered(blocks.length + absent.length)
      await writeFrame(stream, answerCodec.encode({ type: 'blocks', blocks, absent }), signal)
      const bytes = sizes.reduce((sum, size) => sum + size, 0)
      if (sizes.length > 0) this.#service.sent(sizes.length, bytes)
    } finally {
      release()
    }
  }

  async #load(): Promise<Batch | undefined> {
    if (!(await this.#queue.some())) return undefined
    const absent = this.#queue.takeCancelled()
    const { found, bytes } = await this.#choose(absent)
    const { peer, signal } = this.#served
    const release = await this.#service.budget.reserve(peer, bytes, signal)
    try {
      const blocks: Block[] = []
      const loaded = await Promise.all(found.map((cid) => this.#service.source.get(CID.decode(cid))))
      found.forEach((cid, i) => {
        const block = loaded[i]
        if (block === undefined) absent.push(cid)
        else blocks.push({ cid, bytes: block })
      })
      return { blocks, absent, release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Takes wants for one frame: what is here goes into `found`, until it is BATCH_BYTES or one larger block. */
  async #choose(absent: Uint8Array[]): Promise<{ found: Uint8Array[]; bytes: number }> {
    const found: Uint8Array[] = []
    let bytes = 0
    for (let cid = this.#queue.next(); cid !== undefined && bytes < BATCH_BYTES; cid = this.#queue.next()) {
      const size = await this.#service.source.sizeOf(CID.decode(cid))
      const isHere = size !== undefined && size <= MAX_BLOCK_BYTES
      if (isHere && found.length > 0 && bytes + size > BATCH_BYTES) break
      if (!this.#queue.take(cid)) continue
      if (!isHere) {
        absent.push(cid)
        continue
      }
      found.push(cid)
      bytes += size
    }
    return { found, bytes }
  }
}
