import type { PeerId, Stream } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { CodedError } from '../shared/errors.ts'
import { readFrames } from '../shared/frames.ts'
import { openError, type BlocksClientInit } from './client.ts'
import { answerCodec, requestCodec } from './codec.ts'
import { MAX_FRAME_BYTES, OPEN_TIMEOUT_MS, PUSH_WINDOW_BLOCKS, PUSH_WINDOW_BYTES, STALL_MS } from './constants.ts'
import { keyOf, writeFrame } from './frame-stream.ts'

/** Blocks on their way to one member. */
export interface Push {
  /**
   * Resolves when the block is durable there. Many at once is the way to be fast; who awaits `room` first keeps few
   * blocks in memory.
   *
   * @throws {CodedError} why the member refused (E_QUOTA, E_BLOCKS_STRANGER, …), or E_STREAM_CLOSED, E_BLOCKS_STALLED: then no
   * further block goes there
   */
  push(cid: CID, bytes: Uint8Array): Promise<void>
  /** Resolves when a block more fits into the window. @throws as `push` */
  room(): Promise<void>
  /** Waits for what was pushed, and closes. The member holds the blocks for ten minutes more. @throws as `push` */
  finish(): Promise<void>
  /** Ends it at once; what is durable there stays until the lease ends. */
  abort(error: Error): void
}

/** @throws {CodedError} E_BLOCKS_DIAL, E_BLOCKS_UNSUPPORTED, the signal's reason */
export async function openPush(
  openStream: BlocksClientInit['openStream'],
  peer: PeerId,
  signal: AbortSignal,
): Promise<Push> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)])
  const stream = await openStream(peer, either).catch((cause: unknown) => {
    signal.throwIfAborted()
    throw openError(peer, cause)
  })
  return new PushStream(stream, signal)
}

interface Sent {
  readonly bytes: number
  readonly result: PromiseWithResolvers<void>
}

class PushStream implements Push {
  readonly #stream: Stream
  readonly #sent = new Map<string, Sent>()
  readonly #ended = new AbortController()
  readonly #reading: Promise<void>
  readonly #onAbort: () => void
  readonly #signal: AbortSignal
  #bytes = 0
  #unacknowledged = 0
  /** Settles as the window opens. */
  #opening = Promise.withResolvers<void>()
  #turn: Promise<void> = Promise.resolve()

  constructor(stream: Stream, signal: AbortSignal) {
    this.#stream = stream
    this.#signal = signal
    this.#onAbort = () => this.abort(new CodedError('E_ABORTED', 'cancelled', { cause: signal.reason }))
    signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#reading = this.#read()
  }

  async push(cid: CID, bytes: Uint8Array): Promise<void> {
    this.#ended.signal.throwIfAborted()
    const key = keyOf(cid.bytes)
    const known = this.#sent.get(key)
    if (known !== undefined) return known.result.promise
    const sent: Sent = { bytes: bytes.byteLength, result: Promise.withResolvers() }
    this.#sent.set(key, sent)
    sent.result.promise.catch(() => {})
    // One after the other, each once it fits.
    this.#turn = this.#turn.then(() => this.#send(cid, bytes)).catch((error: unknown) => this.#end(asError(error)))
    return sent.result.promise
  }

  async room(): Promise<void> {
    await this.#turn
    while (!this.#fits(1)) await this.#opened()
  }

  async finish(): Promise<void> {
    await Promise.all([...this.#sent.values()].map(({ result }) => result.promise))
    this.#ended.signal.throwIfAborted()
    this.#end(new CodedError('E_STREAM_CLOSED', 'the push is finished'))
    await this.#stream.close({ signal: AbortSignal.timeout(STALL_MS) })
    await this.#reading
  }

  abort(error: Error): void {
    this.#end(error)
    this.#stream.abort(error)
  }

  async #send(cid: CID, bytes: Uint8Array): Promise<void> {
    while (!this.#fits(bytes.byteLength)) await this.#opened()
    this.#ended.signal.throwIfAborted()
    this.#bytes += bytes.byteLength
    this.#unacknowledged++
    const frame = requestCodec.encode({ type: 'push', blocks: [{ cid: cid.bytes, bytes }] })
    await writeFrame(this.#stream, frame, this.#ended.signal)
  }

  #fits(bytes: number): boolean {
    return this.#bytes + bytes <= PUSH_WINDOW_BYTES && this.#unacknowledged < PUSH_WINDOW_BLOCKS
  }

  async #opened(): Promise<void> {
    this.#ended.signal.throwIfAborted()
    const stall = setTimeout(
      () => this.abort(new CodedError('E_BLOCKS_STALLED', `the member stored nothing for ${STALL_MS / 1000} s`)),
      STALL_MS,
    )
    await this.#opening.promise
    clearTimeout(stall)
    this.#ended.signal.throwIfAborted()
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of readFrames(this.#stream, { maxFrameBytes: MAX_FRAME_BYTES })) {
        const answer = answerCodec.decode(frame)
        if (answer.type === 'refused') throw new CodedError(answer.code, answer.message)
        if (answer.type !== 'stored') throw new CodedError('E_BLOCKS_PROTOCOL', 'blocks in answer to a push')
        for (const cid of answer.cids) this.#onStored(cid)
      }
      this.#end(new CodedError('E_STREAM_CLOSED', 'the member closed the stream'))
    } catch (error) {
      this.#end(asError(error))
    }
  }

  #onStored(cid: Uint8Array): void {
    const sent = this.#sent.get(keyOf(cid))
    if (sent === undefined) throw new CodedError('E_BLOCKS_PROTOCOL', 'an acknowledgement of what was not pushed')
    this.#sent.delete(keyOf(cid))
    this.#bytes -= sent.bytes
    this.#unacknowledged--
    sent.result.resolve()
    this.#opening.resolve()
    this.#opening = Promise.withResolvers()
  }

  #end(error: Error): void {
    if (this.#ended.signal.aborted) return
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#ended.abort(error)
    for (const { result } of this.#sent.values()) result.reject(error)
    this.#sent.clear()
    this.#opening.resolve()
  }
}

function asError(error: unknown): Error {
  if (error instanceof CodedError) return error
  return new CodedError('E_STREAM_CLOSED', 'the stream broke off', { cause: error })
}
