import type { Stream } from '@libp2p/interface'
import { CodedError } from './errors.ts'

interface Served {
  stream: Stream
  done: Promise<void>
  /** A newer stream waits for this one's end. */
  isAwaited: boolean
}

/**
 * One stream served for each peer and lane: a newer one takes the place of the older, whose connection may be dead
 * without our knowing. What the older one still has in hand is finished first, so that nothing overtakes it, and only
 * one may wait for that: a handler that hangs costs two streams, however often the peer reconnects.
 */
export class InboundLanes {
  readonly #served = new Map<string, Served>()
  readonly #replacedCode: string
  readonly #waitMs: number

  /** @param replacedCode - with which an older stream is reset; @param waitMs - longest wait for what it has in hand */
  constructor(replacedCode: string, waitMs: number) {
    this.#replacedCode = replacedCode
    this.#waitMs = waitMs
  }

  /** @returns false when the place is not free in time */
  async run(key: string, stream: Stream, serve: () => Promise<void>): Promise<boolean> {
    for (let older = this.#served.get(key); older !== undefined; older = this.#served.get(key)) {
      if (!(await this.#replaced(older))) return false
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

  async #replaced(older: Served): Promise<boolean> {
    if (older.isAwaited) return false
    older.isAwaited = true
    older.stream.abort(new CodedError(this.#replacedCode, 'the peer has opened a newer stream'))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, this.#waitMs, false)
    })
    try {
      return await Promise.race([older.done.then(() => true), late])
    } finally {
      clearTimeout(timer)
      older.isAwaited = false
    }
  }
}
