import type { Stream } from '@libp2p/interface'
import { concat } from 'uint8arrays/concat'
import { drained } from './drain.ts'
import { CodedError, codeOf } from './errors.ts'
import { readFrames, writeFrame } from './frames.ts'

/** Dialling, negotiating and the first frame. */
const OPEN_TIMEOUT_MS = 5_000
/** Between two attempts to open a stream: doubled from the first to the last, half of it at random. */
const BACKOFF_FIRST_MS = 100
const BACKOFF_LAST_MS = 2_000
/** What a peer says on a stream of ours before it ends it. */
const MAX_REFUSAL_BYTES = 8_192

/** What waits for the peer; its owner bounds it. Frames with their length before them. */
export interface LaneQueue {
  readonly length: number
  /** The next ones up to `maxBytes` together, but at least one if there is any. */
  take(maxBytes: number): Uint8Array[]
  clear(): void
}

export interface LaneInit {
  queue: LaneQueue
  /** said at the beginning of every stream */
  opening?: Uint8Array
  /** What the peer said, which can be a refusal only, as an error. @throws {CodedError} */
  refusalOf(frame: Uint8Array): Error
  /** written at once; a larger frame goes alone */
  maxBatchBytes: number
  /** a batch that the peer does not take for so long costs the stream */
  stallMs: number
  /** longest that what need not be heard at once waits for what must; 0 when all must */
  lazyMs?: number
  openStream(signal: AbortSignal): Promise<Stream>
  /** Something was lost: not opened, broken off or refused. Called again and again while it lasts. */
  onLost(code: string): void
  /** Everything that waited has been written. */
  onWritten(): void
}

/** One long-lived outbound stream: opened when there is something to send, opened again with backoff. */
export class Lane {
  readonly #init: LaneInit
  readonly #stopped = new AbortController()
  #stream: Stream | undefined
  #openedAt = 0
  #failures = 0
  #notBefore = 0
  #running = false
  #wake: (() => void) | undefined
  #later: NodeJS.Timeout | undefined

  constructor(init: LaneInit) {
    this.#init = init
  }

  get isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  /** Something waits in the queue. @param isLazy - it may wait a moment for company */
  send(isLazy = false): void {
    if (this.isStopped) return
    if (isLazy) this.#later ??= setTimeout(() => this.#start(), this.#init.lazyMs ?? 0)
    else this.#start()
  }

  /** There is a connection again: the next attempt does not wait. */
  connected(): void {
    this.#failures = 0
    this.#notBefore = 0
    this.#wake?.()
  }

  stop(): void {
    const reason = new CodedError('E_STOPPING', 'no member any more, or the node is stopping')
    this.#stopped.abort(reason)
    clearTimeout(this.#later)
    this.#init.queue.clear()
    this.#stream?.abort(reason)
    this.#wake?.()
  }

  #start(): void {
    clearTimeout(this.#later)
    this.#later = undefined
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      while (this.#init.queue.length > 0) {
        // Also lets the rest of this turn's messages come into the same batch.
        await this.#backoff()
        await this.#attempt()
      }
    } finally {
      this.#running = false
    }
  }

  async #attempt(): Promise<void> {
    let stream = this.#stream
    try {
      stream ??= await this.#open()
      await this.#write(stream)
      if (this.#init.queue.length === 0) this.#init.onWritten()
    } catch (error) {
      this.#fail(error, stream)
    }
  }

  async #write(stream: Stream): Promise<void> {
    const [first, ...more] = this.#init.queue.take(this.#init.maxBatchBytes)
    if (first === undefined) return
    if (!stream.send(more.length === 0 ? first : concat([first, ...more])))
      await drained(stream, this.#within(this.#init.stallMs))
  }

  async #open(): Promise<Stream> {
    const signal = this.#within(OPEN_TIMEOUT_MS)
    this.#openedAt = performance.now()
    const stream = await this.#init.openStream(signal)
    try {
      signal.throwIfAborted()
      this.#watch(stream)
      if (this.#init.opening !== undefined) await writeFrame(stream, this.#init.opening, signal)
    } catch (error) {
      stream.abort(asError(error))
      throw error
    }
    this.#stream = stream
    return stream
  }

  /** The peer sends nothing on this stream but a refusal; its end is ours. */
  #watch(stream: Stream): void {
    const read = async (): Promise<void> => {
      for await (const frame of readFrames(stream, { maxFrameBytes: MAX_REFUSAL_BYTES })) {
        throw this.#init.refusalOf(frame)
      }
      throw new CodedError('E_STREAM_CLOSED', 'the peer closed the stream')
    }
    read().catch((error: unknown) => {
      if (this.#stream === stream) this.#fail(error, stream)
      else stream.abort(asError(error))
    })
  }

  /** Once for each stream, and for each that could not be opened. */
  #fail(error: unknown, stream: Stream | undefined): void {
    if (this.isStopped || this.#stream !== stream) return
    this.#stream = undefined
    stream?.abort(asError(error))
    // Old by the time of the next attempt; engines say it again.
    this.#init.queue.clear()
    const now = performance.now()
    if (now - this.#openedAt > 2 * BACKOFF_LAST_MS) this.#failures = 0
    const longest = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(this.#failures++, 16), BACKOFF_LAST_MS)
    this.#notBefore = now + longest * (0.5 + Math.random() / 2)
    this.#init.onLost(codeOf(error))
  }

  async #backoff(): Promise<void> {
    const ms = this.#stream === undefined ? this.#notBefore - performance.now() : 0
    if (ms <= 0 || this.isStopped) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }

  #within(ms: number): AbortSignal {
    return AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(ms)])
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
