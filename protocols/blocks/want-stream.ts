import type { Stream } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { CodedError, codeOf } from '../shared/errors.ts'
import { readFrames } from '../shared/frames.ts'
import { answerCodec, requestCodec, type Answer, type Block } from './codec.ts'
import { IDLE_MS, MAX_FRAME_BYTES, MAX_UNSTORED_BYTES, MAX_WANTS } from './constants.ts'
import { keyOf, sendFrame } from './frame-stream.ts'

/** What becomes of a block that came, until it is stored: meanwhile it counts as held in memory. */
export type Take = (bytes: Uint8Array) => Promise<void>

export interface WantStreamInit {
  /** @throws {CodedError} E_HASH_UNSUPPORTED */
  matches(cid: CID, bytes: Uint8Array): Promise<boolean>
  /** The stream is gone, all its wants are settled. `error` is a CodedError. */
  onEnd(error: CodedError): void
}

interface Want {
  readonly cid: CID
  readonly take: Take
  readonly result: PromiseWithResolvers<Uint8Array | undefined>
}

interface Asked {
  readonly cid: CID
  /** Nothing: taken back, the answer is still to come. */
  want: Want | undefined
  isCancelled: boolean
}

/**
 * The wants of this node on one stream to one peer: many in a frame, ≤ MAX_WANTS unanswered, the rest wait here. Each
 * want has exactly one answer, so whatever comes besides is the peer's fault.
 */
export class WantStream {
  readonly #init: WantStreamInit
  readonly #waiting = new Map<string, Want>()
  readonly #asked = new Map<string, Asked>()
  readonly #cancels: Uint8Array[] = []
  #stream: Stream | undefined
  #lastHeardMs = 0
  #unstoredBytes = 0
  #onStored: (() => void) | undefined
  #isFlushing = false
  #idle: NodeJS.Timeout | undefined
  #ended: CodedError | undefined

  /** Wants may come before the stream is open. */
  constructor(init: WantStreamInit) {
    this.#init = init
  }

  /** Wants that are not answered. */
  get pending(): number {
    return this.#waiting.size + this.#asked.size
  }

  /** ms for which the peer has sent nothing though it was asked; 0 when it has nothing to do. */
  silentMs(): number {
    return this.pending === 0 ? 0 : performance.now() - this.#lastHeardMs
  }

  /**
   * @returns the block once it is taken, undefined when the peer has it not
   * @throws what `take` throws, the signal's reason, or why the stream ended
   */
  async want(cid: CID, take: Take, signal: AbortSignal): Promise<Uint8Array | undefined> {
    signal.throwIfAborted()
    if (this.#ended !== undefined) throw this.#ended
    const want: Want = { cid, take, result: Promise.withResolvers() }
    this.#add(want)
    const leave = (): void => this.#leave(want, signal)
    signal.addEventListener('abort', leave, { once: true })
    try {
      return await want.result.promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  /** Reads until the end of the stream. */
  async run(stream: Stream): Promise<void> {
    this.#stream = stream
    this.#lastHeardMs = performance.now()
    stream.addEventListener('message', this.#onMessage)
    this.#flushSoon()
    try {
      for await (const frame of readFrames(stream, { maxFrameBytes: MAX_FRAME_BYTES })) {
        this.#onAnswer(answerCodec.decode(frame))
        while (this.#unstoredBytes > MAX_UNSTORED_BYTES)
          await new Promise<void>((resolve) => (this.#onStored = resolve))
      }
      this.end(new CodedError('E_STREAM_CLOSED', 'the peer closed the stream'))
    } catch (error) {
      const cause = error instanceof CodedError ? undefined : error
      this.end(
        error instanceof CodedError ? error : new CodedError('E_STREAM_CLOSED', 'the stream broke off', { cause }),
      )
    }
  }

  /** Idempotent. */
  end(error: CodedError): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    clearTimeout(this.#idle)
    this.#stream?.removeEventListener('message', this.#onMessage)
    this.#stream?.abort(error)
    for (const { result } of this.#waiting.values()) result.reject(error)
    for (const { want } of this.#asked.values()) want?.result.reject(error)
    this.#waiting.clear()
    this.#asked.clear()
    this.#init.onEnd(error)
  }

  readonly #onMessage = (): void => {
    this.#lastHeardMs = performance.now()
  }

  #add(want: Want): void {
    clearTimeout(this.#idle)
    const key = keyOf(want.cid.bytes)
    const asked = this.#asked.get(key)
    if (this.pending === 0) this.#lastHeardMs = performance.now()
    if (asked?.want !== undefined || this.#waiting.has(key)) {
      // One operation asks for a block once; two of them share their fetch before it comes here.
      want.result.reject(new CodedError('E_BLOCKS_PROTOCOL', 'a block wanted twice at once'))
    } else if (asked !== undefined) asked.want = want
    else this.#waiting.set(key, want)
    this.#flushSoon()
  }

  #leave(want: Want, signal: AbortSignal): void {
    const key = keyOf(want.cid.bytes)
    const asked = this.#asked.get(key)
    if (this.#waiting.get(key) === want) this.#waiting.delete(key)
    else if (asked?.want === want) {
      asked.want = undefined
      if (!asked.isCancelled) this.#cancels.push(want.cid.bytes)
      asked.isCancelled = true
      this.#flushSoon()
    }
    want.result.reject(signal.reason)
    this.#closeWhenIdle()
  }

  /** One frame for all that comes in this turn. */
  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(() => {
      this.#isFlushing = false
      if (this.#stream !== undefined && this.#ended === undefined) this.#flush(this.#stream)
    })
  }

  #flush(stream: Stream): void {
    const cids: Uint8Array[] = []
    for (const [key, want] of this.#waiting) {
      if (this.#asked.size >= MAX_WANTS) break
      this.#waiting.delete(key)
      this.#asked.set(key, { cid: want.cid, want, isCancelled: false })
      cids.push(want.cid.bytes)
    }
    const cancel = this.#cancels.splice(0)
    if (cids.length === 0 && cancel.length === 0) return
    try {
      // What waits to be sent is bounded by MAX_WANTS.
      sendFrame(stream, requestCodec.encode({ type: 'want', cids, cancel }))
    } catch (cause) {
      this.end(new CodedError('E_STREAM_CLOSED', 'the stream broke off', { cause }))
    }
  }

  #onAnswer(answer: Answer): void {
    if (answer.type === 'refused') throw new CodedError(answer.code, answer.message)
    if (answer.type === 'stored') throw new CodedError('E_BLOCKS_PROTOCOL', 'an answer to a push')
    for (const block of answer.blocks) this.#onBlock(block)
    for (const cid of answer.absent) this.#onAbsent(cid)
    this.#flushSoon()
    this.#closeWhenIdle()
  }

  #onBlock({ cid: bytesOfCid, bytes }: Block): void {
    const { want } = this.#answered(bytesOfCid)
    if (want !== undefined) void this.#store(want, bytes)
  }

  async #store({ cid, take, result }: Want, bytes: Uint8Array): Promise<void> {
    this.#unstoredBytes += bytes.byteLength
    try {
      if (!(await this.#init.matches(cid, bytes))) throw wrong(cid)
      await take(bytes)
      result.resolve(bytes)
    } catch (error) {
      result.reject(error)
      if (codeOf(error) === 'E_BLOCKS_WRONG') this.end(error as CodedError)
    } finally {
      this.#unstoredBytes -= bytes.byteLength
      this.#onStored?.()
    }
  }

  #onAbsent(bytesOfCid: Uint8Array): void {
    const { want, isCancelled } = this.#answered(bytesOfCid)
    // Wanted again since it was taken back: this answers only the taking back.
    if (want !== undefined && isCancelled) this.#waiting.set(keyOf(bytesOfCid), want)
    else want?.result.resolve(undefined)
  }

  #answered(cid: Uint8Array): Asked {
    const key = keyOf(cid)
    const asked = this.#asked.get(key)
    if (asked === undefined) throw new CodedError('E_BLOCKS_PROTOCOL', 'an answer that was not asked for')
    this.#asked.delete(key)
    return asked
  }

  #closeWhenIdle(): void {
    clearTimeout(this.#idle)
    if (this.pending > 0 || this.#ended !== undefined) return
    this.#idle = setTimeout(() => this.end(new CodedError('E_STREAM_CLOSED', 'nothing is wanted')), IDLE_MS).unref()
  }
}

function wrong(cid: CID): CodedError {
  return new CodedError('E_BLOCKS_WRONG', `the peer sent other bytes as ${cid}`)
}
