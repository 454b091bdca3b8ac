import type { Command } from 'commander'
import { EXIT } from '../../error-table.ts'
import type { CellDocument, LeaderDocument } from '../../operations.ts'
import { cellText } from '../cell-text.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'
import { defaultVerb, examples, type Register } from '../program.ts'
import { printable } from '../text.ts'

export const register: Register = (program, io) => {
  const cell = program.command('cell').description('the cell: what the full nodes of one operator agree on')
  examples(cell, 'kairos cell status')
  registerStatus(cell, io)
  registerTransfer(cell, io)
  registerSnapshot(cell, io)
}

function registerStatus(cell: Command, io: Io): void {
  const command = defaultVerb(cell, 'status')
    .description('the cell as this node sees it; exit code 5 without a leader or with a problem')
    .action(async () => {
      const document = await createClient(io).get<CellDocument>('/cell')
      const isWell = document.leader !== null && document.problem === null
      io.exitCode = isWell ? EXIT.ok : EXIT.unhealthy
      await io.document(document, () => cellText(document))
    })
  examples(command, 'kairos cell status', 'kairos cell status --json')
}

function registerTransfer(cell: Command, io: Io): void {
  const command = cell
    .command('transfer [peer]')
    .description('hand leadership over, to the fittest member unless told; peer id or name')
    .action(async (peer?: string) => {
      const document = await createClient(io).post<LeaderDocument>('/cell/transfer', { peer })
      await io.document(document, () => printable(`${document.name} leads`))
    })
  examples(command, 'kairos cell transfer', 'kairos cell transfer alpha-2')
}

function registerSnapshot(cell: Command, io: Io): void {
  const command = cell
    .command('snapshot')
    .description('take a snapshot of the agreed state now, so that the log can be cut')
    .action(async () => {
      const document = await createClient(io).post<{ index: number; root: string }>('/cell/snapshot')
      await io.document(document, () => `${document.root} at ${document.index}`)
    })
  examples(command, 'kairos cell snapshot')
}
