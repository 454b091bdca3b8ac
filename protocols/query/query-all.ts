import type { Libp2p, PeerId } from '@libp2p/interface'
import { CodedError, codeOf, messageOf } from '../shared/errors.ts'
import { query, type QueryOptions } from './client.ts'
import type { QueryRequest } from './codec.ts'
import { QUERY_CONCURRENCY } from './constants.ts'

export interface QueryPeer {
  peer: PeerId
  /** For people; returned with the rows. */
  name: string
}

/** One row of one peer's answer, or how its answer failed. */
export interface PeerAnswer {
  peerId: string
  name: string
  data?: unknown
  error?: { code: string; message: string; hint?: string }
}

type Answers = AsyncGenerator<PeerAnswer>

/**
 * Asks many peers, QUERY_CONCURRENCY at a time, and yields their rows as they come, taking turns
 * when several are ready. A peer that fails is a row with its error, after the rows it sent.
 */
export async function* queryAll(
  libp2p: Libp2p,
  peers: Iterable<QueryPeer>,
  request: QueryRequest,
  options: QueryOptions,
): AsyncGenerator<PeerAnswer> {
  const waiting = [...peers].reverse()
  const active = new Map<Answers, Promise<{ answers: Answers; result: IteratorResult<PeerAnswer> }>>()
  const advance = (answers: Answers): void => {
    active.set(
      answers,
      answers.next().then((result) => ({ answers, result })),
    )
  }
  try {
    for (;;) {
      while (active.size < QUERY_CONCURRENCY && waiting.length > 0) {
        advance(answersOf(libp2p, waiting.pop()!, request, options))
      }
      if (active.size === 0) return
      const { answers, result } = await Promise.race(active.values())
      // Set again at the end of the map: the next race prefers the others.
      active.delete(answers)
      if (result.done === true) continue
      advance(answers)
      yield result.value
    }
  } finally {
    for (const answers of active.keys()) void answers.return(undefined)
  }
}

async function* answersOf(libp2p: Libp2p, to: QueryPeer, request: QueryRequest, options: QueryOptions): Answers {
  const peerId = to.peer.toString()
  try {
    for await (const data of query(libp2p, to.peer, request, options)) yield { peerId, name: to.name, data }
  } catch (error) {
    const document = { code: codeOf(error), message: messageOf(error) }
    const hint = error instanceof CodedError ? error.hint : undefined
    yield { peerId, name: to.name, error: hint === undefined ? document : { ...document, hint } }
  }
}
