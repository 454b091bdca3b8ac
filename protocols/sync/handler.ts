import type { Connection, Libp2p, Logger, PeerId, Stream } from '@libp2p/interface'
import { closing } from '../shared/closing.ts'
import { CodedError, codeOf, messageOf } from '../shared/errors.ts'
import { refusalOf } from '../shared/fields.ts'
import { InboundLanes } from '../shared/inbound-lanes.ts'
import { Pace } from '../shared/pace.ts'
import { readRequest } from '../shared/read-request.ts'
import { refuse } from '../shared/refuse.ts'
import { reject, type Verdict } from '../shared/verdict.ts'
import { WorkCount } from '../shared/work-count.ts'
import { answerCodec, requestCodec, type SyncRequest } from './codec.ts'
import * as limits from './constants.ts'
import { Answerer, type SyncChain } from './serve.ts'

/** What costs the peer. */
const FAULT = /^E_(FRAME_.*|SYNC_PROTOCOL)$/

export interface SyncHandlerInit {
  libp2p: Pick<Libp2p, 'handle' | 'unhandle'>
  chain: SyncChain
  /** Whether the peer may ask: any member of the mesh. */
  isMember(peer: PeerId): boolean
  /** A request was refused or broken off by this node: E_SYNC_…, E_FRAME_…; for counting. */
  refused(peer: PeerId, code: string): void
  judge(peer: PeerId, verdict: Verdict): void
  log: Logger
  limits?: { heartbeatMs?: number; stallMs?: number; bytesPerSecondPerPeer?: number }
}

export interface SyncHandler {
  start(): Promise<void>
  /** Ends the answers under way; idempotent. */
  stop(): Promise<void>
}

/** Hands out final epochs, within limits that no peer can pass (spec.md, "Limits"). */
export function createSyncHandler(init: SyncHandlerInit): SyncHandler {
  return new Handler(init)
}

class Handler implements SyncHandler {
  readonly #init: SyncHandlerInit
  readonly #answers = new WorkCount(limits.MAX_ANSWERS_PER_PEER, limits.MAX_ANSWERS)
  // Two of one peer: the older one may still have something in hand.
  readonly #followers = new WorkCount(2, limits.MAX_FOLLOWERS)
  readonly #lanes = new InboundLanes('E_SYNC_REPLACED', limits.REPLACE_TIMEOUT_MS)
  readonly #answerer: Answerer
  #stopped = new AbortController()

  constructor(init: SyncHandlerInit) {
    this.#init = init
    this.#answerer = new Answerer({
      chain: init.chain,
      pace: new Pace(init.limits?.bytesPerSecondPerPeer ?? limits.BYTES_PER_SECOND_PER_PEER),
      heartbeatMs: init.limits?.heartbeatMs ?? limits.HEARTBEAT_MS,
      stallMs: init.limits?.stallMs ?? limits.STALL_MS,
    })
  }

  async start(): Promise<void> {
    this.#stopped = new AbortController()
    await this.#init.libp2p.handle(limits.SYNC_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: limits.MAX_SYNC_STREAMS,
      maxOutboundStreams: limits.MAX_SYNC_STREAMS,
      runOnLimitedConnection: true,
    })
  }

  async stop(): Promise<void> {
    await this.#init.libp2p.unhandle(limits.SYNC_PROTOCOL)
    this.#stopped.abort(new CodedError('E_STOPPING', 'the node is stopping'))
  }

  async #onStream(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const signal = AbortSignal.any([closing(stream), this.#stopped.signal])
    try {
      if (!this.#init.isMember(remotePeer)) throw new CodedError('E_SYNC_STRANGER', 'only members of the mesh may ask')
      const patience = { timeoutMs: limits.OPEN_TIMEOUT_MS, faultCode: 'E_SYNC_PROTOCOL', signal }
      const request = await readRequest(stream, requestCodec, patience)
      await this.#serve(stream, remotePeer, request, signal)
      await stream.close({ signal: AbortSignal.any([signal, AbortSignal.timeout(limits.STALL_MS)]) })
    } catch (error) {
      await this.#fail(stream, remotePeer, error)
    }
  }

  async #serve(stream: Stream, peer: PeerId, request: SyncRequest, signal: AbortSignal): Promise<void> {
    const key = peer.toString()
    const answer = (): Promise<void> => this.#answerer.answer(stream, key, request, signal)
    const done =
      request.type === 'follow'
        ? await this.#followers.run(key, () => this.#lanes.run(key, stream, answer))
        : await this.#answers.run(key, answer)
    if (done === undefined || done.result === false) throw new CodedError('E_SYNC_BUSY', 'too many requests at once')
  }

  async #fail(stream: Stream, peer: PeerId, error: unknown): Promise<void> {
    const code = codeOf(error)
    this.#init.log('a request of %p ended - %s %s', peer, code, messageOf(error))
    const isFault = FAULT.test(code)
    const canBeTold = stream.status === 'open' && !this.#stopped.signal.aborted
    // Otherwise the asker left, or this node stops: nobody's fault.
    if (isFault || canBeTold) this.#init.refused(peer, code)
    if (isFault) this.#init.judge(peer, reject(code))
    if (!canBeTold) return stream.abort(new Error(code))
    await refuse(stream, answerCodec.encode(refusalOf(error))).catch(() => stream.abort(new Error(code)))
  }
}
