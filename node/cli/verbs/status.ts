import type { StatusDocument } from '../../operations.ts'
import { EXIT } from '../../error-table.ts'
import { createClient } from '../client.ts'
import { summaryText } from '../cell-text.ts'
import { chainText } from '../epoch-text.ts'
import { coherenceText, globalText } from '../coherence-text.ts'
import { pinSummaryText } from '../pin-text.ts'
import { durationArgument, examples, type Register } from '../program.ts'
import { humanDuration, humanSize, list } from '../text.ts'
import { watch } from '../watch.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('status')
    .description('the mesh as this node sees it; exit code 5 when it is not ready')
    .option('--watch', 'again and again, until Ctrl-C')
    .option('--every <duration>', 'with --watch: how often', durationArgument, 1)
    .action(async (flags: { watch?: true; every: number }) => {
      const client = createClient(io)
      await watch(io, flags, async () => {
        const status = await client.get<StatusDocument>('/status')
        io.exitCode = status.ready ? EXIT.ok : EXIT.unhealthy
        return { document: status, text: () => describe(status) }
      })
    })
  examples(command, 'kairos status', 'kairos status --json')
}

function describe(status: StatusDocument): string {
  const { peers, operators, coherence } = status
  return list([
    ['node', `${status.name}, ${status.role} of cell ${status.cell}, version ${status.version}`],
    ['mesh', status.meshId],
    ['ready', status.ready ? `yes, for ${humanDuration(status.uptimeSeconds)}` : `no: ${status.reasons.join('; ')}`],
    ['peers', `${peers.connected} connected, ${peers.known} known`],
    ...status.cells.map((cell): [string, string] => ['cell', summaryText(cell)]),
    ...(status.pins === null ? [] : [['pins', pinSummaryText(status.pins)] as [string, string]]),
    ['record', chainText(status.chain)],
    ['operators', `${operators.total}, of which ${operators.toleratedFaults} may lie`],
    ['coherence', coherence === null ? 'none: no signal, or not in this role' : coherenceText(coherence)],
    ['mesh coherence', globalText(status.global)],
    ['memory', humanSize(status.memory.rssBytes)],
    ...status.warnings.map((warning): [string, string] => ['warning', warning]),
  ])
}
