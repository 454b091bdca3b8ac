import type { Service } from '../service.ts'

/** Dials under way at once, and authors remembered as tried. */
const MAX_DIALS = 4
const MAX_REMEMBERED = 1024
const RETRY_AFTER_MS = 30_000
const DIAL_TIMEOUT_MS = 10_000

export interface Introductions extends Service {
  /** Asks for proof of membership of a peer that we only heard of. Cheap to call for each message. */
  ask(peerId: string): void
}

/**
 * Who speaks in gossip need not be a neighbour: to weigh its words we must have seen its certificate,
 * so it is dialled once (the DHT knows where), admission shows the proof, and the connection may go.
 */
export function createIntroductions(connect: (peerId: string, signal: AbortSignal) => Promise<unknown>): Introductions {
  const triedAt = new Map<string, number>()
  const abort = new AbortController()
  let dialling = 0

  function ask(peerId: string): void {
    const now = performance.now()
    const last = triedAt.get(peerId)
    if (abort.signal.aborted || dialling >= MAX_DIALS) return
    if (last !== undefined && now - last < RETRY_AFTER_MS) return
    triedAt.delete(peerId)
    triedAt.set(peerId, now)
    const oldest = triedAt.keys().next().value
    if (triedAt.size > MAX_REMEMBERED && oldest !== undefined) triedAt.delete(oldest)
    dialling++
    const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    void Promise.try(connect, peerId, signal)
      .catch(() => undefined)
      .finally(() => dialling--)
  }

  return {
    name: 'introductions',
    ask,
    start: async () => undefined,
    stop: async () => abort.abort(),
  }
}
