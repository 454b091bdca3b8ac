import type { Connection, Libp2p, Logger, PeerId, Stream } from '@libp2p/interface'
import { closing } from '../shared/closing.ts'
import { CodedError, codeOf, messageOf } from '../shared/errors.ts'
import { failureOf } from '../shared/fields.ts'
import { writeFrame } from '../shared/frames.ts'
import { readRequest } from '../shared/read-request.ts'
import { reject, type Verdict } from '../shared/verdict.ts'
import { WorkCount } from '../shared/work-count.ts'
import { pinsAnswerCodec, pinsRequestCodec, type PinOp, type PinsAnswer, type PinsRequest } from './codec.ts'
import {
  ANSWER_TIMEOUT_MS,
  MAX_PINS_STREAMS,
  MAX_REQUESTS,
  MAX_REQUESTS_PER_PEER,
  PINS_PROTOCOL,
  REQUEST_TIMEOUT_MS,
} from './constants.ts'

/** What costs the peer; all else that ends a request is ours, or nobody's fault. */
const FAULT = /^E_(FRAME_.*|PINS_PROTOCOL)$/

export interface PinsHandlerInit {
  libp2p: Libp2p
  /** Whether the peer is a light or full member of this node's cell. */
  isGuest(peer: PeerId): boolean
  /** Checks the arguments and gives a JSON document. */
  serve(op: PinOp, args: readonly unknown[], signal: AbortSignal): Promise<unknown>
  judge(peer: PeerId, verdict: Verdict): void
  log: Logger
}

export interface PinsHandler {
  start(): Promise<void>
  /** Ends what is under way; idempotent. */
  stop(): Promise<void>
}

/** Serves the pinset to guests of the cell, within limits that none can pass (spec.md). */
export function createPinsHandler(init: PinsHandlerInit): PinsHandler {
  return new Handler(init)
}

class Handler implements PinsHandler {
  readonly #init: PinsHandlerInit
  readonly #requests = new WorkCount(MAX_REQUESTS_PER_PEER, MAX_REQUESTS)
  #stopped = new AbortController()

  constructor(init: PinsHandlerInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    this.#stopped = new AbortController()
    await this.#init.libp2p.handle(PINS_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: MAX_PINS_STREAMS,
      maxOutboundStreams: MAX_PINS_STREAMS,
      runOnLimitedConnection: true,
    })
  }

  async stop(): Promise<void> {
    await this.#init.libp2p.unhandle(PINS_PROTOCOL)
    this.#stopped.abort(new CodedError('E_STOPPING', 'the node is stopping'))
  }

  async #onStream(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const signal = AbortSignal.any([closing(stream), AbortSignal.timeout(ANSWER_TIMEOUT_MS), this.#stopped.signal])
    try {
      const patience = { timeoutMs: REQUEST_TIMEOUT_MS, faultCode: 'E_PINS_PROTOCOL', signal }
      const request = await readRequest(stream, pinsRequestCodec, patience)
      await writeFrame(stream, encoded(await this.#answer(remotePeer, request, signal)), signal)
      await stream.close({ signal })
    } catch (error) {
      if (FAULT.test(codeOf(error))) this.#init.judge(remotePeer, reject(codeOf(error)))
      this.#init.log('a request of %p ended - %s %s', remotePeer, codeOf(error), messageOf(error))
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #answer(peer: PeerId, { op, args }: PinsRequest, signal: AbortSignal): Promise<PinsAnswer> {
    if (!this.#init.isGuest(peer)) return failureOf(new CodedError('E_PINS_STRANGER', 'this node is of another cell'))
    const answer = await this.#requests.run(peer.toString(), () => this.#serve(op, args, signal))
    return answer?.result ?? failureOf(busy())
  }

  async #serve(op: PinOp, args: readonly unknown[], signal: AbortSignal): Promise<PinsAnswer> {
    try {
      return { type: 'done', document: await this.#init.serve(op, args, signal) } as PinsAnswer
    } catch (error) {
      return failureOf(error)
    }
  }
}

function busy(): CodedError {
  return new CodedError('E_PINS_BUSY', 'too many requests at once', { hint: 'try again in a moment' })
}

function encoded(answer: PinsAnswer): Uint8Array {
  try {
    return pinsAnswerCodec.encode(answer)
  } catch (error) {
    return pinsAnswerCodec.encode(failureOf(error))
  }
}
