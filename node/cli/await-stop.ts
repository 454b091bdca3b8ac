import { setTimeout as delay } from 'node:timers/promises'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Client } from './client.ts'
import type { Io } from './io.ts'

const POLL_MS = 50
const LONGEST_STOP_S = 30

/** Waits until a node that was told to stop has. @throws {CodedError} E_TIMEOUT */
export async function awaitStop(io: Io, client: Client): Promise<void> {
  const late = AbortSignal.timeout(LONGEST_STOP_S * 1000)
  while (await isRunning(io, client)) {
    io.signal.throwIfAborted()
    if (late.aborted) throw tooLate()
    await delay(POLL_MS)
  }
}

/** The API is the first part to go, the lock the last; the lock can be seen only on this machine. */
async function isRunning({ flags, env }: Io, client: Client): Promise<boolean> {
  if (flags.api === undefined) {
    const { resolvePaths } = await import('../config/paths.ts')
    const { lockHolder } = await import('../storage/lock.ts')
    if ((await lockHolder(resolvePaths({ path: flags.path, env }).lock)) !== undefined) return true
  }
  return client.get('/version').then(
    () => true,
    () => false,
  )
}

function tooLate(): CodedError {
  return new CodedError('E_TIMEOUT', `the node has not stopped within ${LONGEST_STOP_S} s`, {
    hint: 'see its log; a second signal to its process ends it at once',
  })
}
