import { once } from 'node:events'
import type { MessageStream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import type { Codec } from '../shared/codec.ts'
import { codeOf } from '../shared/errors.ts'
import { unlessAborted } from '../shared/unless-aborted.ts'
import { welcomeCodec, type AdmissionMessage } from './codec.ts'
import { MAX_BUFFERED_BYTES } from './constants.ts'
import { refuse } from './refusals.ts'

/** The other side's refusal, as it came over the line. */
export class PeerRefused extends Error {
  override name = 'PeerRefused'
  readonly code: string
  /** What this side knows about the reason; the peer sends nothing but the code. */
  readonly detail: string | undefined

  constructor(code: string, detail?: string) {
    super(code)
    this.code = code
    this.detail = detail
  }
}

const FRAMING_ERRORS = new Set(['ERR_INVALID_MSG_LENGTH', 'ERR_MSG_DATA_TOO_LONG', 'ERR_MSG_LENGTH_TOO_LONG'])

/** Admission messages over an encrypted connection that has no muxer yet. */
export class Line {
  readonly #connection: MessageStream
  readonly #frames: ReturnType<typeof lpStream<MessageStream>>
  readonly #codec: Codec<AdmissionMessage>
  readonly #signal: AbortSignal

  /** @param codec - bounds what is read */
  constructor(connection: MessageStream, codec: Codec<AdmissionMessage>, signal: AbortSignal) {
    this.#connection = connection
    // The default buffer is 4 MiB; whatever overflows ours during a check cuts the connection.
    this.#frames = lpStream(connection, { maxDataLength: codec.maxBytes, maxBufferSize: MAX_BUFFERED_BYTES })
    this.#codec = codec
    this.#signal = signal
  }

  async send(message: AdmissionMessage): Promise<void> {
    await this.#frames.write(welcomeCodec.encode(message), { signal: this.#signal })
  }

  /** @throws {PeerRefused}, {CodedError} E_ADMISSION_MALFORMED, or what broke the connection */
  async receive(): Promise<Exclude<AdmissionMessage, { refused: string }>> {
    const message = this.#decode(await this.#read())
    if ('refused' in message) throw new PeerRefused(message.refused)
    return message
  }

  /** Waits for work of ours, but no longer than for the peer. */
  until<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(work, this.#signal)
  }

  /** Gives the connection back to the upgrader, with any muxer data that came early still in it. */
  release(): void {
    this.#frames.unwrap()
  }

  /**
   * Says the code and reads on until the peer has hung up, at most `lingerMs`: a socket closed over
   * unread bytes is reset, and the reset would eat the code. The frame reader bounds what comes.
   */
  async turnAway(code: string, lingerMs: number): Promise<void> {
    const signal = AbortSignal.timeout(Math.max(lingerMs, 1))
    try {
      await this.#frames.write(welcomeCodec.encode({ refused: code }), { signal })
      if (lingerMs > 0 && this.#connection.status === 'open')
        await once(this.#connection as EventTarget, 'close', { signal })
    } catch {
      // The peer is gone or slow: nobody is left to tell.
    }
  }

  async #read(): Promise<Uint8Array> {
    try {
      return (await this.#frames.read({ signal: this.#signal })).subarray()
    } catch (error) {
      if (FRAMING_ERRORS.has(codeOf(error))) throw refuse('E_ADMISSION_MALFORMED', 'a frame over the limit')
      throw error
    }
  }

  #decode(bytes: Uint8Array): AdmissionMessage {
    try {
      return this.#codec.decode(bytes)
    } catch (error) {
      throw refuse('E_ADMISSION_MALFORMED', error instanceof Error ? error.message : undefined)
    }
  }
}
