import { Argument, Option } from 'commander'
import { CodedError } from '../../../protocols/shared/errors.ts'
import type { QueryRow, QueryTopic } from '../../operations.ts'
import { createClient } from '../client.ts'
import { countArgument, examples, type Register } from '../program.ts'
import { queryHeader, queryLine } from '../query-rows.ts'

interface Flags {
  peer?: string
  all?: true
  history?: number
  from?: number
  limit?: number
  after?: string
}

/** What goes with a topic, beside `--peer` and `--all`. */
const OWN: Record<QueryTopic, readonly string[]> = {
  status: [],
  peers: [],
  coherence: ['--history'],
  pins: ['a CID', '--limit', '--after'],
  epochs: ['--limit', '--from'],
}

export const register: Register = (program, io) => {
  const command = program
    .command('query')
    .description('ask members over the mesh; one that does not answer is a row with its error')
    .addArgument(new Argument('<what>', 'what to ask').choices(['status', 'peers', 'coherence', 'pins', 'epochs']))
    .argument('[cid]', 'with pins: this one only')
    .option('--peer <id>', 'one member; by default this node')
    .addOption(new Option('--all', 'the whole mesh').conflicts('peer'))
    .option('--history <n>', 'with coherence: this many points of the past', countArgument(1))
    .option(
      '--limit <n>',
      'with pins: rows of each node, 100 unless told; with epochs: 1 unless told',
      countArgument(1),
    )
    .option('--from <height>', 'with epochs: from there upward; the newest unless told', countArgument(1))
    .option('--after <cursor>', 'with pins: go on behind this, as the answer before tells')
    .action(async (what: QueryTopic, cid: string | undefined, flags: Flags) => {
      refuseForeign(what, cid, flags)
      if (!io.flags.json) await io.write(`${queryHeader(what)}\n`)
      for await (const row of createClient(io).rows<QueryRow>('/query', { what, cid, ...flags })) {
        await io.row(row, () => queryLine(what, row))
      }
    })
  examples(
    command,
    'kairos query status --all',
    'kairos query coherence --all --json',
    'kairos query pins --all --limit 10',
    'kairos query epochs --all --json',
  )
}

function refuseForeign(what: QueryTopic, cid: string | undefined, { history, limit, after, from }: Flags): void {
  const given = { 'a CID': cid, '--history': history, '--limit': limit, '--after': after, '--from': from }
  const own = OWN[what]
  const foreign = Object.entries(given).find(([name, value]) => value !== undefined && !own.includes(name))
  if (foreign === undefined) return
  const hint = own.length === 0 ? `${what} takes --peer and --all only` : `with ${what} go ${own.join(', ')}`
  throw new CodedError('E_USAGE', `${foreign[0]} says nothing about ${what}`, { hint })
}
