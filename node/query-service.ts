import type { ComponentLogger, Libp2p, PeerId } from '@libp2p/interface'
import { CodedError } from '../protocols/shared/errors.ts'
import { createQueryHandler, type QueryParams } from '../protocols/query/index.ts'
import type { Operations, QueryTopic } from './operations.ts'
import { localStatuses } from './pins/local-statuses.ts'
import type { Service } from './service.ts'

/** Points of history in one answer: a row stays far under its 64 KiB. */
const MAX_HISTORY = 100
/** Epochs in one answer. */
const MAX_EPOCHS = 100

export interface QueryServiceInit {
  libp2p: Libp2p
  operations: Operations
  /** Whether the peer may see the pins of this node: a light or full member of its cell. */
  maySeePins: (peer: PeerId) => boolean
  log: ComponentLogger
}

/** Answers what other members ask over the mesh. */
export function createQueryService({ libp2p, operations, maySeePins, log }: QueryServiceInit): Service {
  const handler = createQueryHandler({
    libp2p,
    serve(what, params, signal, peer) {
      if (what === 'pins' && !maySeePins(peer)) throw stranger()
      return answer(operations, { what, params, signal })
    },
    log: log.forComponent('kairos:query'),
  })
  return { name: 'query', start: () => handler.start(), stop: () => handler.stop() }
}

export interface Question {
  what: QueryTopic
  params: QueryParams
  signal: AbortSignal
}

/** The documents that this node's own operator sees, as far as they concern others. */
export async function* answer(operations: Operations, { what, params, signal }: Question): AsyncGenerator<unknown> {
  if (what === 'status') yield await operations.status()
  if (what === 'peers') yield* await operations.peers()
  if (what === 'coherence') yield ownCoherence(operations, Number(params['history'] ?? 0))
  if (what === 'epochs') yield* operations.mesh.epochs(epochsOf(params))
  if (what === 'pins') yield* localStatuses(operations.pins, params, signal)
}

/** The newest one unless told. What a peer asks is brought into bounds. */
function epochsOf({ from, limit }: QueryParams): { from?: number; limit: number } {
  const count = clamp(limit, 1, MAX_EPOCHS)
  return from === undefined ? { limit: count } : { from: clamp(from, 1, Number.MAX_SAFE_INTEGER), limit: count }
}

function clamp(given: unknown, min: number, max: number): number {
  const number = Math.trunc(Number(given ?? min))
  return number >= min ? Math.min(number, max) : min
}

/** Without the pool: everybody has the same reports, and a hundred of them would not fit one row. */
function ownCoherence(operations: Operations, history: number): unknown {
  const { reports: _reports, ...own } = operations.coherence()
  const limit = Math.min(MAX_HISTORY, history)
  return limit > 0 ? { ...own, history: operations.coherenceHistory({ limit }) } : own
}

function stranger(): CodedError {
  return new CodedError('E_PINS_STRANGER', 'this node shows its pins to light and full members of its own cell only')
}
