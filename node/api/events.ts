import type { NodeEvent } from '../operations.ts'

/** Proxies and browsers give up on a stream that is silent for long. */
const KEEP_ALIVE_MS = 15_000

type Subscribe = (cursor: number | undefined, signal: AbortSignal) => AsyncIterable<NodeEvent>

/** Events in the text/event-stream format, with a comment while nothing happens. */
export async function* formatEvents(
  subscribe: Subscribe,
  cursor: number | undefined,
  signal: AbortSignal,
): AsyncIterable<string> {
  yield ': kairos events\n\n'
  const ended = new AbortController()
  const events = subscribe(cursor, AbortSignal.any([signal, ended.signal]))[Symbol.asyncIterator]()
  try {
    for (let next = events.next(); ;) {
      const step = await withinTime(next)
      if (step === undefined) yield ': still here\n\n'
      else if (step.done === true) return
      else {
        yield format(step.value)
        next = events.next()
      }
    }
  } catch (error) {
    // A watcher that has gone is no error, and a stream that breaks is resumed by its cursor.
    if (!signal.aborted) throw error
  } finally {
    ended.abort()
  }
}

function format(event: NodeEvent): string {
  return `id: ${event.cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

async function withinTime<T>(promise: Promise<T>): Promise<T | undefined> {
  const { promise: silence, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, KEEP_ALIVE_MS, undefined)
  try {
    return await Promise.race([promise, silence])
  } finally {
    clearTimeout(timer)
  }
}
