/**
 * Passes values on until the signal aborts, also when the source itself waits for ever. The source
 * is told to end, but not waited for.
 */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  let stop = (): void => {}
  const onAbort = (): void => stop()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for (;;) {
      signal.throwIfAborted()
      // Anew each time: a promise of the whole stream that every turn raced with would keep what each has yielded.
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T>>()
      stop = () => reject(signal.reason)
      iterator.next().then(resolve, reject)
      const result = await promise
      if (result.done === true) return
      yield result.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    iterator.return?.().catch(() => {})
  }
}
