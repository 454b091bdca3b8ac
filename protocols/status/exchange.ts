import type { Stream } from '@libp2p/interface'
import { CodedError } from '../shared/errors.ts'
import { readFrames, writeFrame } from '../shared/frames.ts'
import { statusCodec, type PeerStatus, type StatusMessage, type StatusRefusal } from './codec.ts'
import { MAX_STATUS_BYTES, STATUS_TIMEOUT_MS } from './constants.ts'

export interface StatusPort {
  /** This node's own status, now. */
  own(): PeerStatus
  /** @returns why the peer is refused, undefined when it is not */
  check(status: PeerStatus): StatusRefusal | undefined
}

/** How an exchange ended: the peer's status, or who refused and why. */
export type StatusOutcome =
  { kind: 'accepted'; status: PeerStatus } | { kind: 'refused'; side: 'local' | 'remote'; refusal: StatusRefusal }

/** One stream, one frame at a time, all under one deadline. */
export class StatusLine {
  readonly #stream: Stream
  readonly #signal: AbortSignal
  readonly #frames: AsyncGenerator<Uint8Array>

  constructor(stream: Stream, signal: AbortSignal) {
    this.#stream = stream
    this.#signal = AbortSignal.any([signal, AbortSignal.timeout(STATUS_TIMEOUT_MS)])
    this.#frames = readFrames(stream, { maxFrameBytes: MAX_STATUS_BYTES, signal: this.#signal })
  }

  async send(message: StatusMessage): Promise<void> {
    await writeFrame(this.#stream, statusCodec.encode(message), this.#signal)
  }

  async receive(): Promise<StatusMessage> {
    const next = await this.#frames.next()
    if (next.done === true) throw new CodedError('E_STATUS_FAILED', 'the peer hung up during the status exchange')
    return statusCodec.decode(next.value)
  }

  /** Checks the peer's status and tells it when it is refused. */
  async judge(message: StatusMessage, port: StatusPort): Promise<StatusOutcome> {
    if (message.type === 'refused') return remoteRefusal(message)
    if (message.type !== 'status') throw new CodedError('E_STATUS_FAILED', 'the peer sent no status')
    const { type: _, ...status } = message
    const refusal = port.check(status)
    if (refusal === undefined) return { kind: 'accepted', status }
    await this.send({ type: 'refused', ...refusal })
    return { kind: 'refused', side: 'local', refusal }
  }

  /** Closes our end and waits for the peer's, so that nothing sent is lost to a reset. */
  async close(): Promise<void> {
    await this.#stream.close({ signal: this.#signal })
    await this.#frames.next()
  }

  abort(error: unknown): void {
    this.#stream.abort(error instanceof Error ? error : new CodedError('E_STATUS_FAILED', String(error)))
  }
}

export function remoteRefusal({ code, message }: StatusRefusal): StatusOutcome {
  return { kind: 'refused', side: 'remote', refusal: { code, message } }
}
