import type { PeerId, Stream } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { CodedError, messageOf } from '../shared/errors.ts'
import { reject, type Verdict } from '../shared/verdict.ts'
import { OPEN_TIMEOUT_MS, RETRY_MS } from './constants.ts'
import { WantStream, type Take } from './want-stream.ts'

const FAULT = /^E_(FRAME_.*|BLOCKS_(PROTOCOL|WRONG))$/

export interface BlocksClientInit {
  /** Dials when there is no connection. */
  openStream(peer: PeerId, signal: AbortSignal): Promise<Stream>
  /** Whether the bytes are those of the CID. @throws {CodedError} E_HASH_UNSUPPORTED */
  matches(cid: CID, bytes: Uint8Array): Promise<boolean>
  judge(peer: PeerId, verdict: Verdict): void
}

/** Wants at many peers, on one stream each, which is opened when it is needed. */
export class BlocksClient {
  readonly #init: BlocksClientInit
  readonly #streams = new Map<string, WantStream>()
  readonly #failed = new Map<string, { error: CodedError; untilMs: number }>()
  readonly #stopped = new AbortController()

  constructor(init: BlocksClientInit) {
    this.#init = init
  }

  /** Wants that the peer has not answered. */
  pending(peer: PeerId): number {
    return this.#streams.get(peer.toString())?.pending ?? 0
  }

  /** ms for which the peer has sent nothing though it was asked. */
  silentMs(peer: PeerId): number {
    return this.#streams.get(peer.toString())?.silentMs() ?? 0
  }

  /**
   * Asks one peer for a block. An aborted signal takes the want back, at the peer, too.
   *
   * @returns the checked block once `take` has stored it, undefined when the peer has it not
   * @throws {CodedError} E_BLOCKS_DIAL, E_BLOCKS_UNSUPPORTED, E_BLOCKS_WRONG, E_STREAM_CLOSED, or the peer's refusal; what `take`
   * throws; the signal's reason
   */
  async want(peer: PeerId, cid: CID, options: { take: Take; signal: AbortSignal }): Promise<Uint8Array | undefined> {
    return this.#streamTo(peer).want(cid, options.take, options.signal)
  }

  stop(): void {
    const reason = new CodedError('E_STOPPING', 'the node is stopping')
    this.#stopped.abort(reason)
    for (const stream of this.#streams.values()) stream.end(reason)
  }

  #streamTo(peer: PeerId): WantStream {
    const key = peer.toString()
    const failed = this.#failed.get(key)
    if (this.#stopped.signal.aborted) throw this.#stopped.signal.reason
    if (failed !== undefined && failed.untilMs > performance.now()) throw failed.error
    this.#failed.delete(key)
    const known = this.#streams.get(key)
    if (known !== undefined) return known
    const stream = new WantStream({
      matches: (cid, bytes) => this.#init.matches(cid, bytes),
      onEnd: (error) => {
        this.#streams.delete(key)
        if (FAULT.test(error.code)) this.#init.judge(peer, reject(error.code))
      },
    })
    this.#streams.set(key, stream)
    void this.#run(peer, stream)
    return stream
  }

  async #run(peer: PeerId, wants: WantStream): Promise<void> {
    try {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)])
      const stream = await this.#init.openStream(peer, signal)
      await wants.run(stream)
    } catch (cause) {
      const error = openError(peer, cause)
      this.#forgetFailed()
      this.#failed.set(peer.toString(), { error, untilMs: performance.now() + RETRY_MS })
      wants.end(error)
    }
  }

  #forgetFailed(): void {
    for (const [key, { untilMs }] of this.#failed) if (untilMs <= performance.now()) this.#failed.delete(key)
  }
}

/** Why no stream could be opened. */
export function openError(peer: PeerId, cause: unknown): CodedError {
  if (cause instanceof Error && cause.name === 'UnsupportedProtocolError') {
    return new CodedError('E_BLOCKS_UNSUPPORTED', `${peer} does not speak the protocol of blocks`, { cause })
  }
  return new CodedError('E_BLOCKS_DIAL', `${peer} could not be reached: ${messageOf(cause)}`, { cause })
}
