import { unlessAborted } from './unless-aborted.ts'

/**
 * Passes values on until the signal aborts, also when the source itself waits for ever. The source
 * is told to end, but not waited for.
 */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      signal.throwIfAborted()
      const result = await unlessAborted(iterator.next(), signal)
      if (result.done === true) return
      yield result.value
    }
  } finally {
    void Promise.resolve(iterator.return?.()).catch(() => undefined)
  }
}
