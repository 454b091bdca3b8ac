import { Argument, Option } from 'commander'
import type { QueryRow, QueryTopic } from '../../operations.ts'
import { createClient } from '../client.ts'
import { countArgument, examples, type Register } from '../program.ts'
import { queryHeader, queryLine } from '../query-rows.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('query')
    .description('ask members over the mesh; one that does not answer is a row with its error')
    .addArgument(new Argument('<what>', 'what to ask').choices(['status', 'peers', 'coherence']))
    .option('--peer <id>', 'one member; by default this node')
    .addOption(new Option('--all', 'the whole mesh').conflicts('peer'))
    .option('--history <n>', 'with coherence: this many points of the past', countArgument(1))
    .action(async (what: QueryTopic, flags: { peer?: string; all?: true; history?: number }) => {
      if (!io.flags.json) await io.write(`${queryHeader(what)}\n`)
      for await (const row of createClient(io).rows<QueryRow>('/query', { what, ...flags })) {
        await io.row(row, () => queryLine(what, row))
      }
    })
  examples(command, 'kairos query status --all', 'kairos query coherence --all --json')
}
