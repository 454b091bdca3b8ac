/**
 * Waits for this work, and no longer when the signal aborts.
 *
 * Not by a race with one promise of the abortion for all turns of a loop: that would keep the result of each. On the signal
 * nothing is left behind; the work goes on, unheard.
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
