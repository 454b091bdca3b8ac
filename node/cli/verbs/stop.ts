import { setTimeout as delay } from 'node:timers/promises'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { createClient, type Client } from '../client.ts'
import type { Io } from '../io.ts'
import { examples, type Register } from '../program.ts'

const POLL_MS = 50
const LONGEST_STOP_S = 30

export const register: Register = (program, io) => {
  const command = program
    .command('stop')
    .description('ask the running node to stop, and wait until it has')
    .action(async () => {
      const client = createClient(io)
      await client.post('/stop')
      const late = AbortSignal.timeout(LONGEST_STOP_S * 1000)
      while (await isRunning(io, client)) {
        io.signal.throwIfAborted()
        if (late.aborted) throw tooLate()
        await delay(POLL_MS)
      }
      await io.document({ stopped: true }, () => 'stopped')
    })
  examples(command, 'kairos stop')
}

/** The API is the first part to go, the lock the last; the lock can be seen only on this machine. */
async function isRunning({ flags, env }: Io, client: Client): Promise<boolean> {
  if (flags.api === undefined) {
    const { resolvePaths } = await import('../../config/paths.ts')
    const { lockHolder } = await import('../../storage/lock.ts')
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
