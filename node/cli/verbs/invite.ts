import { Option } from 'commander'
import type { InviteDocument } from '../../operations.ts'
import { createClient } from '../client.ts'
import { countArgument, durationArgument, examples, type Register } from '../program.ts'

interface Flags {
  role: string
  cell?: string
  rights?: string[]
  expires?: number
  uses?: number
}

export const register: Register = (program, io) => {
  const command = program
    .command('invite')
    .description('sign a ticket that lets another node into the mesh')
    .addOption(
      new Option('--role <role>', 'what the guest does').choices(['full', 'light', 'witness', 'relay']).default('full'),
    )
    .option('--cell <cell>', 'its cell; by default this node’s own')
    .addOption(new Option('--rights <rights...>', 'what it may give in turn').choices(['issue', 'found']))
    .option('--expires <duration>', 'the ticket ends after this; a day unless told', durationArgument)
    .option('--uses <n>', 'how many nodes may use it; one unless told', countArgument(1))
    .action(async ({ expires, ...flags }: Flags) => {
      const request = { ...flags, ...(expires === undefined ? {} : { expiresInSeconds: expires }) }
      const document = await createClient(io).post<InviteDocument>('/invite', request)
      const { ticket, role, cell, uses } = document
      io.note(`${role} of cell ${cell}, ${uses === 1 ? 'one use' : `${uses} uses`}, until ${document.expires}`)
      await io.document(document, () => ticket)
    })
  examples(command, 'kairos invite --role light', 'kairos invite --role full --expires 2h --uses 3')
}
