import { awaitStop } from '../await-stop.ts'
import { createClient } from '../client.ts'
import { confirm } from '../confirm.ts'
import { examples, type Register } from '../program.ts'
import { printable } from '../text.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('leave')
    .description('hand leadership and vote over to the rest of the cell, and stop the node')
    .option('-y, --yes', 'do not ask')
    .action(async ({ yes }: { yes?: true }) => {
      if (yes === undefined) await confirm(io, 'This node gives up its vote in the cell and stops.')
      const client = createClient(io)
      const document = await client.post<{ left: string }>('/leave')
      await awaitStop(io, client)
      await io.document(document, () => printable(`left cell ${document.left}, stopped`))
    })
  examples(command, 'kairos leave --yes')
}
