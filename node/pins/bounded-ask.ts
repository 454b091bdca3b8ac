import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '../../protocols/shared/errors.ts'
import type { PinMesh } from './ports.ts'

/** Half of what a peer answers at once (protocols/query/spec.md): its own operator's other questions have room. */
const MAX_ASKED = 4
const FIRST_WAIT_MS = 50
const LAST_WAIT_MS = 800

interface Asked {
  underWay: number
  readonly waiting: (() => void)[]
}

/** Asks each peer a few things at a time, and again after a moment where it is busy with what others ask. */
export function boundedAsk(ask: PinMesh['ask']): PinMesh['ask'] {
  const peers = new Map<string, Asked>()
  return async function* (peer, params, signal) {
    const leave = await enter(peers, peer.toString(), signal)
    try {
      yield* untilNotBusy(() => ask(peer, params, signal), signal)
    } finally {
      leave()
    }
  }
}

async function* untilNotBusy(ask: () => AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<unknown> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LAST_WAIT_MS)) {
    try {
      yield* ask()
      return
    } catch (error) {
      // Said in place of an answer, so no row was given twice.
      if (codeOf(error) !== 'E_QUERY_BUSY') throw error
    }
    await delay(waitMs, undefined, { signal })
  }
}

/** @returns what gives the place to the next. @throws the signal's reason */
async function enter(peers: Map<string, Asked>, peer: string, signal: AbortSignal): Promise<() => void> {
  const asked = peers.get(peer) ?? { underWay: 0, waiting: [] }
  peers.set(peer, asked)
  if (asked.underWay >= MAX_ASKED) await place(asked, signal)
  else asked.underWay += 1
  return () => {
    const next = asked.waiting.shift()
    if (next !== undefined) return next()
    asked.underWay -= 1
    if (asked.underWay === 0) peers.delete(peer)
  }
}

function place({ waiting }: Asked, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      waiting.splice(waiting.indexOf(enterNow), 1)
      reject(signal.reason as Error)
    }
    const enterNow = (): void => {
      signal.removeEventListener('abort', leave)
      resolve()
    }
    if (signal.aborted) return reject(signal.reason as Error)
    waiting.push(enterNow)
    signal.addEventListener('abort', leave, { once: true })
  })
}
