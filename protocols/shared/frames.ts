import type { Stream } from '@libp2p/interface'
import * as varint from 'uint8-varint'
import { Uint8ArrayList } from 'uint8arraylist'
import { drained } from './drain.ts'
import { CodedError } from './errors.ts'
import { FrameBytes, MAX_PREFIX_BYTES } from './frame-bytes.ts'

/** Bytes held for a slow consumer before the sender is paused (hardening F2, F3). */
export const MAX_QUEUED_BYTES = 262_144

export interface FrameOptions {
  maxFrameBytes: number
  maxQueuedBytes?: number
  signal?: AbortSignal
}

/**
 * Reads length-prefixed frames with backpressure that reaches the sender.
 *
 * libp2p's own iterator queues without a bound, and `pause()` inside the message event is lost
 * (hardening F2, F3): bytes are queued here, the stream is paused in a microtask once too many
 * wait, and resumed only when the queue is empty. Must be called in the same turn as the stream
 * is handed out. The stream is aborted when the consumer leaves early or the peer breaks the framing.
 *
 * @throws {CodedError} E_FRAME_TOO_LARGE, E_FRAME_TRUNCATED; E_STREAM_CLOSED where it broke off inside a frame
 */
export async function* readFrames(stream: Stream, options: FrameOptions): AsyncGenerator<Uint8Array> {
  const inbox = new Inbox(stream, options)
  let clean = false
  try {
    for (;;) {
      const frame = inbox.bytes.take(options.maxFrameBytes)
      if (frame !== undefined) {
        yield frame
        continue
      }
      if (inbox.ended) {
        if (inbox.error !== undefined) throw inbox.error
        if (inbox.bytes.byteLength > 0) throw brokenFrame(inbox.isClosed)
        clean = true
        return
      }
      await inbox.more()
    }
  } finally {
    inbox.stop()
    if (!clean && stream.status === 'open') stream.abort(new CodedError('E_STREAM_ABANDONED', 'the reader left'))
  }
}

/** Who closed its end had all the time to finish its frame; a reset or a lost connection is nobody's fault. */
function brokenFrame(isClosed: boolean): CodedError {
  return isClosed
    ? new CodedError('E_FRAME_TRUNCATED', 'the stream ended inside a frame')
    : new CodedError('E_STREAM_CLOSED', 'the stream broke off inside a frame')
}

/** Hands one frame to the stream. @returns false when the peer is slower than we are: then wait with `drained` */
export function sendFrame(stream: Stream, bytes: Uint8Array): boolean {
  return stream.send(new Uint8ArrayList(varint.encode(bytes.byteLength), bytes))
}

/** Sends one frame and waits while the peer is slower than we are. */
export async function writeFrame(stream: Stream, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  if (!sendFrame(stream, bytes)) await drained(stream, signal)
}

class Inbox {
  readonly bytes = new FrameBytes()
  ended = false
  error: Error | undefined
  /** The peer has closed its end: what libp2p tells of a stream that broke is the same, but for the event. */
  isClosed: boolean
  readonly #stream: Stream
  readonly #maxQueuedBytes: number
  readonly #signal: AbortSignal | undefined
  #wake: (() => void) | undefined

  constructor(stream: Stream, options: FrameOptions) {
    this.#stream = stream
    // A frame larger than the queue must still be able to arrive whole.
    this.#maxQueuedBytes = Math.max(
      options.maxQueuedBytes ?? MAX_QUEUED_BYTES,
      options.maxFrameBytes + MAX_PREFIX_BYTES,
    )
    this.#signal = options.signal
    this.isClosed = stream.remoteWriteStatus === 'closed' && (stream.status === 'open' || stream.status === 'closed')
    stream.addEventListener('remoteCloseWrite', this.#onRemoteClose)
    stream.addEventListener('message', this.#onMessage)
    stream.addEventListener('close', this.#onClose)
    // Not `remoteCloseWrite`: it comes while a paused stream still holds bytes.
    stream.addEventListener('end', this.#onEnd)
    if (this.#isRead()) this.#onEnd()
    options.signal?.addEventListener('abort', this.#onAbort)
    if (options.signal?.aborted === true) this.#onAbort()
  }

  async more(): Promise<void> {
    if (this.#stream.readStatus === 'paused') this.#stream.resume()
    if (this.ended || this.bytes.byteLength >= this.#maxQueuedBytes) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  stop(): void {
    this.#stream.removeEventListener('remoteCloseWrite', this.#onRemoteClose)
    this.#stream.removeEventListener('message', this.#onMessage)
    this.#stream.removeEventListener('close', this.#onClose)
    this.#stream.removeEventListener('end', this.#onEnd)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  readonly #onMessage = (event: { data: Uint8Array | Uint8ArrayList }): void => {
    this.bytes.append(event.data)
    if (this.bytes.byteLength >= this.#maxQueuedBytes) {
      queueMicrotask(() => {
        if (this.#stream.readStatus === 'readable') this.#stream.pause()
      })
    }
    this.#notify()
  }

  readonly #onRemoteClose = (): void => {
    this.isClosed = true
  }

  readonly #onClose = (event: { error?: Error }): void => {
    if (event.error !== undefined || this.#isRead()) this.#end(event.error)
  }

  readonly #onEnd = (): void => {
    this.#end()
  }

  readonly #onAbort = (): void => {
    this.#end(new CodedError('E_ABORTED', 'cancelled', { cause: this.#signal?.reason }))
  }

  /** Nothing more will come: the peer has closed its end, or the stream is gone, and libp2p holds no bytes. */
  #isRead(): boolean {
    const { status, remoteWriteStatus, readBufferLength } = this.#stream
    return (status !== 'open' || remoteWriteStatus === 'closed') && readBufferLength === 0
  }

  #end(error?: Error): void {
    if (this.ended) return
    this.ended = true
    this.error = error
    this.#notify()
  }

  #notify(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
