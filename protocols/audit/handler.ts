import type { Connection, Libp2p, Logger, PeerId, Stream } from '@libp2p/interface'
import { closing } from '../shared/closing.ts'
import { CodedError, codeOf, messageOf } from '../shared/errors.ts'
import { refusalOf } from '../shared/fields.ts'
import { writeFrame } from '../shared/frames.ts'
import { readRequest } from '../shared/read-request.ts'
import { refuse } from '../shared/refuse.ts'
import { reject, type Verdict } from '../shared/verdict.ts'
import { WorkCount } from '../shared/work-count.ts'
import { answerCodec, requestCodec, type AuditAnswer, type AuditRequest, type Results } from './codec.ts'
import * as limits from './constants.ts'
import { prove, type AuditSource } from './prove.ts'
import { ReadBudget } from './read-budget.ts'

/** What costs the peer. */
const FAULT = /^E_(FRAME_.*|AUDIT_PROTOCOL)$/

export interface AuditHandlerInit {
  libp2p: Pick<Libp2p, 'handle' | 'unhandle' | 'peerId'>
  source: AuditSource
  /** Verdicts of this node alone, after a cursor; at most MAX_ROWS. */
  results(after: number): Results
  isOfCell(peer: PeerId): boolean
  /** A request was refused: E_AUDIT_*, E_FRAME_*, or what reading failed with. */
  refused(peer: PeerId, code: string): void
  judge(peer: PeerId, verdict: Verdict): void
  log: Logger
  /** Milliseconds; for the budget. */
  now?: () => number
}

export interface AuditHandler {
  start(): Promise<void>
  /** Ends the answers under way; idempotent. */
  stop(): Promise<void>
}

/** Answers challenges of members of the cell, within limits that none of them can pass (spec.md, "Limits"). */
export function createAuditHandler(init: AuditHandlerInit): AuditHandler {
  return new Handler(init)
}

class Handler implements AuditHandler {
  readonly #init: AuditHandlerInit
  readonly #count = new WorkCount(limits.MAX_ANSWERS_PER_PEER, limits.MAX_ANSWERS)
  readonly #budget: ReadBudget
  #stopped = new AbortController()

  constructor(init: AuditHandlerInit) {
    this.#init = init
    this.#budget = new ReadBudget(init.now ?? (() => performance.now()))
  }

  async start(): Promise<void> {
    this.#stopped = new AbortController()
    await this.#init.libp2p.handle(limits.AUDIT_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: limits.MAX_STREAMS,
      maxOutboundStreams: limits.MAX_STREAMS,
      runOnLimitedConnection: true,
    })
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new CodedError('E_STOPPING', 'the node is stopping'))
    await this.#init.libp2p.unhandle(limits.AUDIT_PROTOCOL)
  }

  async #onStream(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const signal = AbortSignal.any([
      closing(stream),
      AbortSignal.timeout(limits.ANSWER_TIMEOUT_MS),
      this.#stopped.signal,
    ])
    const patience = { timeoutMs: limits.REQUEST_TIMEOUT_MS, faultCode: 'E_AUDIT_PROTOCOL', signal }
    try {
      if (!this.#init.isOfCell(remotePeer))
        throw new CodedError('E_AUDIT_STRANGER', 'only members of the cell are answered')
      const answer = await this.#count.run(remotePeer.toString(), async () =>
        this.#answer(await readRequest(stream, requestCodec, patience), remotePeer, signal),
      )
      if (answer === undefined) throw new CodedError('E_AUDIT_BUSY', 'too many requests of yours, or of all, at once')
      await writeFrame(stream, answerCodec.encode(answer.result), signal)
      await stream.close({ signal })
    } catch (error) {
      await this.#fail(stream, remotePeer, error)
    }
  }

  async #answer(request: AuditRequest, peer: PeerId, signal: AbortSignal): Promise<AuditAnswer> {
    const asker = peer.toString()
    if (!this.#budget.has(asker)) throw new CodedError('E_AUDIT_BUDGET', 'no more is read for you in this minute')
    if (request.type === 'challenge') {
      const { source, libp2p } = this.#init
      return prove(request, { source, budget: this.#budget, self: libp2p.peerId.toString() }, { peer: asker, signal })
    }
    this.#budget.spend(asker, limits.MAX_ANSWER_BYTES)
    return { type: 'results', ...this.#init.results(request.after) }
  }

  async #fail(stream: Stream, peer: PeerId, error: unknown): Promise<void> {
    const code = codeOf(error)
    this.#init.log('an audit by %p was not answered - %s %s', peer, code, messageOf(error))
    const isFault = FAULT.test(code)
    if (isFault) this.#init.judge(peer, reject(code))
    // A peer that has left was refused nothing.
    if (isFault || stream.status === 'open') this.#init.refused(peer, code)
    if (stream.status !== 'open') return
    await refuse(stream, answerCodec.encode(refusalOf(error))).catch(() =>
      stream.abort(new CodedError('E_STREAM_CLOSED', code)),
    )
  }
}
