import type { Stream } from '@libp2p/interface'
import { encode as varint } from 'uint8-varint'
import { concat } from 'uint8arrays/concat'
import { drained } from '../shared/drain.ts'
import { CodedError, codeOf } from '../shared/errors.ts'
import { readFrames, writeFrame } from '../shared/frames.ts'
import { answerCodec, openingCodec, type LaneName } from './codec.ts'
import {
  BACKOFF_FIRST_MS,
  BACKOFF_LAST_MS,
  LAZY_MS,
  MAX_REFUSAL_BYTES,
  MAX_BATCH_BYTES,
  OPEN_TIMEOUT_MS,
} from './constants.ts'
import { SendQueue, type QueueLimits } from './send-queue.ts'

export interface LaneInit {
  name: LaneName
  limits: QueueLimits
  /** a batch that the member does not take for so long costs the stream */
  stallMs: number
  openStream(signal: AbortSignal): Promise<Stream>
  /** Something was lost: not opened, broken off, refused or too much. Called again and again while it lasts. */
  onLost(code: string): void
  /** Everything that waited has been written. */
  onWritten(): void
}

/** One long-lived outbound stream: opened when there is something to send, opened again with backoff. */
export class Lane {
  readonly #init: LaneInit
  readonly #queue: SendQueue
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
    this.#queue = new SendQueue(init.limits)
  }

  /** @param isLazy - it may wait a moment for company; its order stays */
  push(frame: Uint8Array, isLazy = false): void {
    if (this.#stopped.signal.aborted) return
    const dropped = this.#queue.push(concat([varint(frame.byteLength), frame]))
    if (dropped > 0) this.#init.onLost('E_RAFT_QUEUE_FULL')
    if (isLazy) this.#later ??= setTimeout(() => this.#start(), LAZY_MS)
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
    this.#queue.clear()
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
      while (this.#queue.length > 0) {
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
      if (this.#queue.length === 0) this.#init.onWritten()
    } catch (error) {
      this.#fail(error, stream)
    }
  }

  async #write(stream: Stream): Promise<void> {
    const [first, ...more] = this.#queue.take(MAX_BATCH_BYTES)
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
      await writeFrame(stream, openingCodec.encode({ type: 'messages', lane: this.#init.name }), signal)
    } catch (error) {
      stream.abort(asError(error))
      throw error
    }
    this.#stream = stream
    return stream
  }

  /** The member sends nothing on this stream but a refusal; its end is ours. */
  #watch(stream: Stream): void {
    const read = async (): Promise<void> => {
      for await (const frame of readFrames(stream, { maxFrameBytes: MAX_REFUSAL_BYTES })) {
        const answer = answerCodec.decode(frame)
        throw answer.type === 'refused'
          ? new CodedError(answer.code, answer.message)
          : new CodedError('E_RAFT_PROTOCOL', 'an answer on a stream of messages')
      }
      throw new CodedError('E_STREAM_CLOSED', 'the member closed the stream')
    }
    read().catch((error: unknown) => {
      if (this.#stream === stream) this.#fail(error, stream)
      else stream.abort(asError(error))
    })
  }

  /** Once for each stream, and for each that could not be opened. */
  #fail(error: unknown, stream: Stream | undefined): void {
    if (this.#stopped.signal.aborted || this.#stream !== stream) return
    this.#stream = undefined
    stream?.abort(asError(error))
    // Old by the time of the next attempt; the engine says it again.
    this.#queue.clear()
    const now = performance.now()
    if (now - this.#openedAt > 2 * BACKOFF_LAST_MS) this.#failures = 0
    const longest = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(this.#failures++, 16), BACKOFF_LAST_MS)
    this.#notBefore = now + longest * (0.5 + Math.random() / 2)
    this.#init.onLost(codeOf(error))
  }

  async #backoff(): Promise<void> {
    const ms = this.#stream === undefined ? this.#notBefore - performance.now() : 0
    if (ms <= 0 || this.#stopped.signal.aborted) return
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
