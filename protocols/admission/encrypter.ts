import {
  serviceCapabilities,
  type ConnectionEncrypter,
  type MessageStream,
  type PeerId,
  type SecureConnectionOptions,
  type SecuredConnection,
} from '@libp2p/interface'
import { codeOf, messageOf } from '../shared/errors.ts'
import { messageCodec, welcomeCodec } from './codec.ts'
import { ADMISSION_TIMEOUT_MS, REFUSAL_LINGER_MS } from './constants.ts'
import { introduce, receive } from './exchange.ts'
import { Line, PeerRefused } from './line.ts'
import { refusalError, REFUSALS, refuse } from './refusals.ts'
import type { Admission, AdmissionHost } from './types.ts'

export interface AdmissionEncrypterInit {
  /** NOISE_ADMISSION_PROTOCOL or TLS_ADMISSION_PROTOCOL, as the inner encrypter is. */
  protocol: string
  /** For the inner handshake and the exchange together, milliseconds. */
  timeoutMs?: number
  /** Longest wait for a refused peer to hang up, milliseconds. */
  lingerMs?: number
}

type Secure = (connection: MessageStream, options: SecureConnectionOptions) => Promise<SecuredConnection>

/**
 * Wraps an encrypter so that a connection exists only between two nodes that have admitted each
 * other (spec.md): libp2p serves every protocol as soon as a connection is encrypted, so admission
 * stands between the encryption and the muxer.
 *
 * A refusal is thrown on both sides with its code in the message, since the upgrader keeps nothing
 * else; `refusalFrom` reads it back. `inboundUpgradeTimeout` of the connection manager must not be
 * under `timeoutMs`.
 */
export function admissionEncrypter<Components>(
  inner: (components: Components) => ConnectionEncrypter,
  host: AdmissionHost,
  init: AdmissionEncrypterInit,
): (components: Components) => ConnectionEncrypter {
  return (components) => new AdmissionEncrypter(inner(components), host, init)
}

class AdmissionEncrypter implements ConnectionEncrypter {
  readonly protocol: string
  readonly [Symbol.toStringTag] = 'kairos/admission'
  readonly [serviceCapabilities] = ['@libp2p/connection-encryption']
  readonly #inner: ConnectionEncrypter
  readonly #host: AdmissionHost
  readonly #timeoutMs: number
  readonly #lingerMs: number

  constructor(inner: ConnectionEncrypter, host: AdmissionHost, init: AdmissionEncrypterInit) {
    this.protocol = init.protocol
    this.#inner = inner
    this.#host = host
    this.#timeoutMs = init.timeoutMs ?? ADMISSION_TIMEOUT_MS
    this.#lingerMs = init.lingerMs ?? REFUSAL_LINGER_MS
  }

  secureInbound(connection: MessageStream, options: SecureConnectionOptions = {}): Promise<SecuredConnection> {
    const secure: Secure = (connection, options) => this.#inner.secureInbound(connection, options)
    return this.#secure(secure, connection, options, (secured, signal) => {
      const line = new Line(secured.connection, messageCodec, signal)
      return { line, admission: receive(line, this.#host, secured.remotePeer) }
    })
  }

  secureOutbound(connection: MessageStream, options: SecureConnectionOptions = {}): Promise<SecuredConnection> {
    const secure: Secure = (connection, options) => this.#inner.secureOutbound(connection, options)
    return this.#secure(secure, connection, options, (secured, signal) => {
      const hello = this.#host.hello()
      const codec = hello.ticket === undefined ? messageCodec : welcomeCodec
      const line = new Line(secured.connection, codec, signal)
      return { line, admission: introduce(line, this.#host, secured.remotePeer, hello) }
    })
  }

  async #secure(
    secure: Secure,
    connection: MessageStream,
    options: SecureConnectionOptions,
    exchange: (secured: SecuredConnection, signal: AbortSignal) => { line: Line; admission: Promise<Admission> },
  ): Promise<SecuredConnection> {
    const timeout = AbortSignal.timeout(this.#timeoutMs)
    const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
    let secured: SecuredConnection
    try {
      secured = await secure(connection, { ...options, signal })
    } catch (error) {
      if (!timeout.aborted) throw error
      throw this.#cut(connection)
    }
    const { line, admission } = exchange(secured, signal)
    try {
      const { remotePeer } = secured
      this.#host.accepted(remotePeer, await admission)
    } catch (error) {
      // The dial was cancelled, or the upgrader gave up: no judgement of the peer.
      if (options.signal?.aborted === true && !timeout.aborted) throw error
      throw await this.#end(line, secured, timeout.aborted ? refuse('E_ADMISSION_TIMEOUT') : error)
    }
    line.release()
    return secured
  }

  /** A peer that stalls inside the inner handshake reads nothing, so it is told nothing. */
  #cut(connection: MessageStream): Error {
    const error = refusalError('E_ADMISSION_TIMEOUT', 'local')
    connection.abort(error)
    this.#report('E_ADMISSION_TIMEOUT', 'local', error.message)
    return error
  }

  /** Closes a connection that was not admitted and says what to throw. */
  async #end(line: Line, { connection, remotePeer }: SecuredConnection, error: unknown): Promise<Error> {
    if (error instanceof PeerRefused) {
      const refused = refusalError(error.code, 'remote', error.detail)
      await hangUp(connection, this.#lingerMs)
      this.#report(error.code, 'remote', refused.message, remotePeer)
      return refused
    }
    // The connection broke: nobody refused anybody.
    if (connection.status !== 'open') return error instanceof Error ? error : new Error(messageOf(error))
    const code = tellable(error)
    // A peer that has stalled until now gets no further half second.
    await line.turnAway(code, code === 'E_ADMISSION_TIMEOUT' ? 0 : this.#lingerMs)
    await hangUp(connection, this.#lingerMs)
    const refused = refusalError(code, 'local', code === codeOf(error) ? messageOf(error) : undefined, error)
    this.#report(code, 'local', refused.message, remotePeer)
    return refused
  }

  #report(code: string, side: 'local' | 'remote', message: string, remote?: PeerId): void {
    this.#host.refused({ ...(remote === undefined ? {} : { peerId: remote.toString() }), code, side, message })
  }
}

/** Our own failures stay our own: the peer learns no more than that we cannot serve it. */
function tellable(error: unknown): string {
  const code = codeOf(error)
  return Object.hasOwn(REFUSALS, code) ? code : 'E_ADMISSION_UNAVAILABLE'
}

/** Must end before the upgrader hears of the refusal: it resets what is still open. */
async function hangUp(connection: MessageStream, withinMs: number): Promise<void> {
  try {
    await connection.close({ signal: AbortSignal.timeout(withinMs) })
  } catch (error) {
    connection.abort(error instanceof Error ? error : new Error(messageOf(error)))
  }
}
