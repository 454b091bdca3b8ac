import type { Stream } from '@libp2p/interface'
import { CodedError } from '../shared/errors.ts'
import { OPEN_TIMEOUT_MS } from './constants.ts'

interface Served {
  stream: Stream
  done: Promise<void>
  /** A newer stream waits for this one's end. */
  isAwaited: boolean
}

/**
 * One stream served for each member and lane: a newer one takes the place of the older, whose connection may be dead
 * without our knowing. What the older one still has in hand is finished first, so that nothing overtakes it, and only
 * one may wait for that: a handler that hangs costs two streams, however often the member reconnects.
 */
export class InboundLanes {
  readonly #served = new Map<string, Served>()

  /** @returns false when the place is not free in time */
  async run(key: string, stream: Stream, serve: () => Promise<void>): Promise<boolean> {
    for (let older = this.#served.get(key); older !== undefined; older = this.#served.get(key)) {
      if (!(await replaced(older))) return false
    }
    const done = Promise.withResolvers<void>()
    this.#served.set(key, { stream, done: done.promise, isAwaited: false })
    try {
      await serve()
      return true
    } finally {
      this.#served.delete(key)
      done.resolve()
    }
  }
}

async function replaced(older: Served): Promise<boolean> {
  if (older.isAwaited) return false
  older.isAwaited = true
  older.stream.abort(new CodedError('E_RAFT_REPLACED', 'the member has opened a newer stream'))
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, OPEN_TIMEOUT_MS, false)
  })
  try {
    return await Promise.race([older.done.then(() => true), late])
  } finally {
    clearTimeout(timer)
    older.isAwaited = false
  }
}
