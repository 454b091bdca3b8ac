import type { Connection, Libp2p, Logger, PeerId, Stream } from '@libp2p/interface'
import { closing } from '../shared/closing.ts'
import { CodedError, codeOf, messageOf } from '../shared/errors.ts'
import { failureOf } from '../shared/fields.ts'
import { writeFrame } from '../shared/frames.ts'
import { readRequest } from '../shared/read-request.ts'
import { WorkCount } from '../shared/work-count.ts'
import { frameCodec, requestCodec, type QueryFrame, type QueryParams, type QueryRequest } from './codec.ts'
import {
  MAX_QUERIES,
  MAX_QUERIES_PER_PEER,
  MAX_QUERY_STREAMS,
  MAX_ROWS,
  QUERY_PROTOCOL,
  QUERY_TIMEOUT_MS,
  QUERY_TOPICS,
  REQUEST_TIMEOUT_MS,
} from './constants.ts'
import { untilAborted } from '../shared/until-aborted.ts'

export type QueryTopic = (typeof QUERY_TOPICS)[number]

export interface QueryHandlerInit {
  libp2p: Libp2p
  /** The rows of an answer to `peer`: JSON documents. `signal` aborts when nobody reads them any more. */
  serve: (what: QueryTopic, params: QueryParams, signal: AbortSignal, peer: PeerId) => AsyncIterable<unknown>
  log: Logger
  limits?: { perPeer?: number; total?: number; rows?: number; timeoutMs?: number }
}

export interface QueryHandler {
  start(): Promise<void>
  /** Ends the answers under way; idempotent. */
  stop(): Promise<void>
}

/** Answers queries of peers, within limits that no peer can pass (spec.md, "Limits"). */
export function createQueryHandler(init: QueryHandlerInit): QueryHandler {
  return new Handler(init)
}

class Handler implements QueryHandler {
  readonly #init: QueryHandlerInit
  readonly #limits: { perPeer: number; total: number; rows: number; timeoutMs: number }
  readonly #queries: WorkCount
  #stopped = new AbortController()

  constructor(init: QueryHandlerInit) {
    this.#init = init
    const standard = { perPeer: MAX_QUERIES_PER_PEER, total: MAX_QUERIES, rows: MAX_ROWS, timeoutMs: QUERY_TIMEOUT_MS }
    this.#limits = { ...standard, ...init.limits }
    this.#queries = new WorkCount(this.#limits.perPeer, this.#limits.total)
  }

  async start(): Promise<void> {
    this.#stopped = new AbortController()
    await this.#init.libp2p.handle(QUERY_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: MAX_QUERY_STREAMS,
      maxOutboundStreams: MAX_QUERY_STREAMS,
      runOnLimitedConnection: true,
    })
  }

  async stop(): Promise<void> {
    await this.#init.libp2p.unhandle(QUERY_PROTOCOL)
    this.#stopped.abort(new CodedError('E_STOPPING', 'the node is stopping'))
  }

  async #onStream(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const deadline = AbortSignal.timeout(this.#limits.timeoutMs)
    const signal = AbortSignal.any([closing(stream), deadline, this.#stopped.signal])
    try {
      const patience = { timeoutMs: REQUEST_TIMEOUT_MS, faultCode: 'E_QUERY_PROTOCOL', signal }
      const request = await readRequest(stream, requestCodec, patience)
      const answered = await this.#queries.run(remotePeer.toString(), () =>
        send(stream, this.#answer(request, remotePeer, signal), signal),
      )
      if (answered === undefined)
        await send(stream, refusal(new CodedError('E_QUERY_BUSY', 'too many queries at once')), signal)
      await stream.close({ signal })
    } catch (error) {
      this.#init.log('query of %p ended - %s %s', remotePeer, codeOf(error), messageOf(error))
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async *#answer(request: QueryRequest, peer: PeerId, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { what, params } = request
    if (!isTopic(what)) {
      const hint = `it answers ${QUERY_TOPICS.join(', ')}`
      yield* refusal(new CodedError('E_QUERY_UNKNOWN', `this node answers no "${what}"`, { hint }))
      return
    }
    let rows = 0
    try {
      for await (const row of untilAborted(this.#init.serve(what, params, signal, peer), signal)) {
        if (rows >= this.#limits.rows) throw new CodedError('E_QUERY_TOO_LONG', `more than ${rows} rows`)
        yield frameCodec.encode({ type: 'row', row } as QueryFrame)
        rows++
      }
      yield frameCodec.encode({ type: 'end', rows })
    } catch (error) {
      // Nobody is there to read it when the stream is gone.
      if (signal.aborted) throw error
      yield* refusal(error)
    }
  }
}

async function send(stream: Stream, frames: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  for await (const frame of frames) await writeFrame(stream, frame, signal)
}

async function* refusal(error: unknown): AsyncGenerator<Uint8Array> {
  yield frameCodec.encode(failureOf(error))
}

function isTopic(what: string): what is QueryTopic {
  return (QUERY_TOPICS as readonly string[]).includes(what)
}
