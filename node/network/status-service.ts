import type { Connection, ComponentLogger, Libp2p, Stream } from '@libp2p/interface'
import {
  answerStatus,
  askStatus,
  checkStatus,
  MAX_STATUS_STREAMS,
  STATUS_INTERVAL_MS,
  STATUS_PROTOCOL,
  type PeerStatus,
  type StatusOutcome,
  type StatusPort,
  type StatusRefusal,
} from '../../protocols/status/index.ts'
import { codeOf } from '../../protocols/shared/errors.ts'
import type { Service } from '../service.ts'
import type { Membership } from './membership.ts'

const SWEEP_MS = 5_000
/** Admission let it in, so it was a member: what it showed has ended since. */
const EXPIRED: StatusRefusal = { code: 'E_CERT_EXPIRED', message: 'your certificate has expired: join again' }

export interface StatusServiceInit {
  libp2p: Libp2p
  logger: ComponentLogger
  member: Membership['member']
  own(): PeerStatus
  onStatus(peerId: string, status: PeerStatus): void
  onRefused(peerId: string, outcome: Extract<StatusOutcome, { kind: 'refused' }>): void
}

/** Keeps the latest status of each connected peer, and parts from those it cannot agree with. */
export class StatusService implements Service {
  readonly name = 'status'
  readonly #init: StatusServiceInit
  readonly #latest = new Map<string, { status: PeerStatus; atMs: number }>()
  readonly #asking = new Set<string>()
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(init: StatusServiceInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    const { libp2p } = this.#init
    await libp2p.handle(STATUS_PROTOCOL, (stream, connection) => this.#answer(stream, connection), {
      maxInboundStreams: MAX_STATUS_STREAMS,
      maxOutboundStreams: MAX_STATUS_STREAMS,
      runOnLimitedConnection: true,
    })
    libp2p.addEventListener('connection:open', this.#onConnection)
    libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopped.abort()
    const { libp2p } = this.#init
    libp2p.removeEventListener('connection:open', this.#onConnection)
    libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    await libp2p.unhandle(STATUS_PROTOCOL)
  }

  latest(peerId: string): PeerStatus | undefined {
    return this.#latest.get(peerId)?.status
  }

  readonly #onConnection = ({ detail }: CustomEvent<Connection>): void => {
    if (detail.direction === 'outbound') void this.#ask(detail)
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<{ toString(): string }>): void => {
    this.#latest.delete(detail.toString())
  }

  #sweep(): void {
    for (const connection of this.#init.libp2p.getConnections()) {
      const ageMs = Date.now() - (this.#latest.get(connection.remotePeer.toString())?.atMs ?? connection.timeline.open)
      const dueMs = connection.direction === 'outbound' ? STATUS_INTERVAL_MS : 2 * STATUS_INTERVAL_MS
      if (ageMs >= dueMs) void this.#ask(connection)
    }
  }

  async #ask(connection: Connection): Promise<void> {
    const peerId = connection.remotePeer.toString()
    if (this.#asking.has(peerId)) return
    this.#asking.add(peerId)
    try {
      const { signal } = this.#stopped
      const stream = await connection.newStream(STATUS_PROTOCOL, { runOnLimitedConnection: true, signal })
      await this.#settle(connection, await askStatus(stream, this.#port(peerId), signal))
    } catch (error) {
      await this.#failed(connection, error)
    } finally {
      this.#asking.delete(peerId)
    }
  }

  async #answer(stream: Stream, connection: Connection): Promise<void> {
    try {
      const port = this.#port(connection.remotePeer.toString())
      await this.#settle(connection, await answerStatus(stream, port, this.#stopped.signal))
    } catch (error) {
      await this.#failed(connection, error)
    }
  }

  #port(peerId: string): StatusPort {
    return {
      own: this.#init.own,
      check: (status) => {
        const member = this.#init.member(peerId)
        return member === undefined ? EXPIRED : checkStatus(status, member)
      },
    }
  }

  async #settle(connection: Connection, outcome: StatusOutcome): Promise<void> {
    const peerId = connection.remotePeer.toString()
    if (outcome.kind === 'refused') {
      this.#init.onRefused(peerId, outcome)
      await this.#init.libp2p.hangUp(connection.remotePeer)
      return
    }
    this.#latest.set(peerId, { status: outcome.status, atMs: Date.now() })
    this.#init.onStatus(peerId, outcome.status)
  }

  /** A broken exchange is tried again by the sweep; a peer without the protocol is of another release. */
  async #failed(connection: Connection, error: unknown): Promise<void> {
    if (error instanceof Error && error.name === 'UnsupportedProtocolError') {
      const refusal = { code: 'E_VERSION_UNSUPPORTED', message: `the peer does not speak ${STATUS_PROTOCOL}` }
      await this.#settle(connection, { kind: 'refused', side: 'local', refusal })
      return
    }
    if (this.#stopped.signal.aborted || connection.status !== 'open') return
    this.#init.logger.forComponent('kairos:status')('exchange with %p failed: %s', connection.remotePeer, codeOf(error))
  }
}
