import type { Connection, Libp2p, Logger, PeerId, Stream } from '@libp2p/interface'
import { CodedError, codeOf, messageOf } from '../shared/errors.ts'
import { readFrames, writeFrame } from '../shared/frames.ts'
import { reject, type Verdict } from '../shared/verdict.ts'
import { pinsAnswerCodec, pinsRequestCodec, type PinOp, type PinsAnswer, type PinsRequest } from './codec.ts'
import {
  ANSWER_TIMEOUT_MS,
  MAX_PINS_STREAMS,
  MAX_REQUEST_BYTES,
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
  readonly #running = new Map<string, number>()
  #total = 0
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
    const gone = new AbortController()
    stream.addEventListener('close', () => gone.abort(), { once: true })
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS), this.#stopped.signal])
    try {
      const request = await readRequest(stream, signal)
      await writeFrame(stream, encoded(await this.#answer(remotePeer, request, signal)), signal)
      await stream.close({ signal })
    } catch (error) {
      if (FAULT.test(codeOf(error))) this.#init.judge(remotePeer, reject(codeOf(error)))
      this.#init.log('a request of %p ended - %s %s', remotePeer, codeOf(error), messageOf(error))
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #answer(peer: PeerId, { op, args }: PinsRequest, signal: AbortSignal): Promise<PinsAnswer> {
    if (!this.#init.isGuest(peer)) return refusal(new CodedError('E_PINS_STRANGER', 'this node is of another cell'))
    const key = peer.toString()
    const running = this.#running.get(key) ?? 0
    if (running >= MAX_REQUESTS_PER_PEER || this.#total >= MAX_REQUESTS)
      return refusal(new CodedError('E_PINS_BUSY', 'too many requests at once', { hint: 'try again in a moment' }))
    this.#running.set(key, running + 1)
    this.#total++
    try {
      const document = await this.#init.serve(op, args, signal)
      return { type: 'done', document } as PinsAnswer
    } catch (error) {
      return refusal(error)
    } finally {
      this.#total--
      const left = (this.#running.get(key) ?? 1) - 1
      if (left > 0) this.#running.set(key, left)
      else this.#running.delete(key)
    }
  }
}

/** The one frame of the asker, whose end must then close. */
async function readRequest(stream: Stream, signal: AbortSignal): Promise<PinsRequest> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)])
  let request: PinsRequest | undefined
  for await (const frame of readFrames(stream, { maxFrameBytes: MAX_REQUEST_BYTES, signal: patience })) {
    if (request !== undefined) throw new CodedError('E_PINS_PROTOCOL', 'a second request on one stream')
    request = pinsRequestCodec.decode(frame)
  }
  if (request === undefined) throw new CodedError('E_PINS_PROTOCOL', 'no request')
  return request
}

function encoded(answer: PinsAnswer): Uint8Array {
  try {
    return pinsAnswerCodec.encode(answer)
  } catch (error) {
    return pinsAnswerCodec.encode(refusal(error))
  }
}

function refusal(error: unknown): PinsAnswer {
  const code = codeOf(error)
  const known = /^E_[A-Z_]{1,60}$/.test(code) ? code : 'E_INTERNAL'
  const hint = error instanceof CodedError ? error.hint : undefined
  const answer = { type: 'error', code: known, message: messageOf(error).slice(0, 1024) } as const
  return hint === undefined ? answer : { ...answer, hint: hint.slice(0, 1024) }
}
