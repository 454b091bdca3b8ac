/**
 * Waits for this work, and no longer when the signal aborts.
 *
 * A promise of abortion that outlives the work, raced with it turn by turn, would keep the result of every turn: here
 * nothing is left behind on the signal.
 *
 * @throws the signal's reason, or what the work failed with
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onAbort = (): void => reject(signal.reason)
  work.then(resolve, reject)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
