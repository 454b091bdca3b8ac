import type { LeaveRow } from '../../operations.ts'
import { awaitStop } from '../await-stop.ts'
import { createClient } from '../client.ts'
import { confirm } from '../confirm.ts'
import type { Io } from '../io.ts'
import { durationArgument, examples, type Register } from '../program.ts'
import { createStatusLine } from '../progress.ts'
import { printable } from '../text.ts'

interface Flags {
  yes?: true
  drain: boolean
  drainTimeout?: number
}

export const register: Register = (program, io) => {
  const command = program
    .command('leave')
    .description('have its pins moved to other members, hand leadership and vote over to them, and stop the node')
    .option('-y, --yes', 'do not ask')
    .option('--no-drain', 'at once: its copies are lost, and replaced only where others have the content')
    .option('--drain-timeout <duration>', 'give up after this long without a copy that moves (10m)', durationArgument)
    .action((flags: Flags) => leave(io, flags))
  examples(command, 'kairos leave --yes', 'kairos leave --yes --no-drain')
}

async function leave(io: Io, { yes, drain, drainTimeout }: Flags): Promise<void> {
  if (yes === undefined) await confirm(io, 'This node gives up its vote in the cell and stops.')
  const client = createClient(io)
  const drainTimeoutMs = drainTimeout === undefined ? undefined : Math.ceil(drainTimeout * 1000)
  const line = createStatusLine(io)
  let document: { left: string } | undefined
  let isTold = false
  try {
    for await (const row of client.postRows<LeaveRow>('/leave', { drain, drainTimeoutMs })) {
      if ('left' in row) document = row
      else if (isTold) line.show(() => `${copies(row.copiesLeft)} left`)
      else {
        if (!io.flags.json) io.note(`moving ${copies(row.copiesLeft)} to other members first; Ctrl-C stays`)
        isTold = true
      }
    }
  } finally {
    line.clear()
  }
  await awaitStop(io, client)
  await io.document(document, () => printable(`left cell ${document?.left}, stopped`))
}

function copies(count: number): string {
  return count === 1 ? '1 copy' : `${count} copies`
}
