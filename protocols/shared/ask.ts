import type { Stream } from '@libp2p/interface'
import { CodedError, messageOf } from './errors.ts'
import { readFrames, writeFrame } from './frames.ts'

export interface AskOptions {
  signal: AbortSignal
  maxFrameBytes: number
  /** for dialling, asking and the whole answer; none when absent */
  timeoutMs?: number
  /** longest wait for the next frame, dialling included; a slow reader of ours does not count */
  silenceMs?: number
  /** of an answer that breaks off */
  brokenCode: string
}

/**
 * Asks with one frame on a stream of its own. Leaving the loop early cancels the question at the peer.
 *
 * @returns the frames of the answer
 * @throws {CodedError} E_PEER_UNREACHABLE, `brokenCode`, E_TIMEOUT, E_ABORTED, E_FRAME_*
 */
export async function* ask(
  open: (signal: AbortSignal) => Promise<Stream>,
  request: Uint8Array,
  options: AskOptions,
): AsyncGenerator<Uint8Array> {
  const patience = new Patience(options)
  const { signal } = patience
  let stream: Stream | undefined
  try {
    patience.wait()
    stream = await open(signal)
    // Listens before it asks, so that no answer is missed.
    const frames = readFrames(stream, { maxFrameBytes: options.maxFrameBytes, signal })
    let next = frames.next()
    next.catch(() => {})
    await writeFrame(stream, request, signal)
    await stream.close({ signal })
    for (let frame = await next; frame.done !== true; frame = await next) {
      patience.rest()
      yield frame.value
      patience.wait()
      next = frames.next()
    }
  } catch (error) {
    throw patience.failure(error, stream === undefined ? undefined : options.brokenCode)
  } finally {
    patience.rest()
    if (stream?.status === 'open') stream.abort(new CodedError('E_STREAM_ABANDONED', 'the asker has what it needs'))
  }
}

/** What is waited for, and for how long. */
class Patience {
  readonly signal: AbortSignal
  readonly #options: AskOptions
  readonly #late = new AbortController()
  readonly #deadline: AbortSignal | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: AskOptions) {
    this.#options = options
    this.#deadline = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs)
    const late = this.#deadline === undefined ? [this.#late.signal] : [this.#late.signal, this.#deadline]
    this.signal = AbortSignal.any([options.signal, ...late])
  }

  wait(): void {
    const { silenceMs } = this.#options
    if (silenceMs !== undefined) this.#timer = setTimeout(() => this.#late.abort(), silenceMs)
  }

  rest(): void {
    clearTimeout(this.#timer)
  }

  failure(cause: unknown, brokenCode: string | undefined): CodedError {
    const { signal, timeoutMs, silenceMs } = this.#options
    if (signal.aborted) return new CodedError('E_ABORTED', 'cancelled', { cause })
    if (this.#deadline?.aborted === true)
      return new CodedError('E_TIMEOUT', `no full answer within ${timeoutMs} ms`, { cause })
    if (this.#late.signal.aborted) return new CodedError('E_TIMEOUT', `nothing came for ${silenceMs} ms`, { cause })
    if (cause instanceof CodedError) return cause
    if (brokenCode !== undefined)
      return new CodedError(brokenCode, `the answer broke off: ${messageOf(cause)}`, { cause })
    return new CodedError('E_PEER_UNREACHABLE', `the peer cannot be reached: ${messageOf(cause)}`, {
      hint: 'see with `kairos peers` who is connected',
      cause,
    })
  }
}
