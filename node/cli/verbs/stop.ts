import { awaitStop } from '../await-stop.ts'
import { createClient } from '../client.ts'
import { examples, type Register } from '../program.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('stop')
    .description('ask the running node to stop, and wait until it has')
    .action(async () => {
      const client = createClient(io)
      await client.post('/stop')
      await awaitStop(io, client)
      await io.document({ stopped: true }, () => 'stopped')
    })
  examples(command, 'kairos stop')
}
