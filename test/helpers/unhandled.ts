/** @returns the reasons of promises that were rejected with nobody there to hear of it, while something ran */
export async function unhandledIn(run: () => Promise<void>): Promise<unknown[]> {
  const reasons: unknown[] = []
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  const note = (reason: unknown): void => void reasons.push(reason)
  process.on('unhandledRejection', note)
  try {
    await run()
    // They are told after the turn in which they were rejected.
    await new Promise(setImmediate)
  } finally {
    process.off('unhandledRejection', note)
    for (const other of others) process.on('unhandledRejection', other)
  }
  return reasons
}
