import type { Command } from 'commander'
import type { CoherenceDocument, CoherencePoint, CoherenceValue, ReportRow } from '../../operations.ts'
import { createClient } from '../client.ts'
import { chance, coherenceText, globalText } from '../coherence-text.ts'
import type { Io } from '../io.ts'
import { countArgument, defaultVerb, durationArgument, examples, type Register } from '../program.ts'
import { humanDuration, list, table } from '../text.ts'
import { watch } from '../watch.ts'
import { registerCoherenceAnalyze } from './coherence-analyze.ts'

export const register: Register = (program, io) => {
  const coherence = program.command('coherence').description('how far signals and oscillators move as one')
  examples(coherence, 'kairos coherence', 'kairos coherence history --json')
  registerLive(coherence, io)
  registerHistory(coherence, io)
  registerCoherenceAnalyze(coherence, io)
}

function registerLive(coherence: Command, io: Io): void {
  const command = defaultVerb(coherence, 'show')
    .description('T of this node and of the mesh, now')
    .option('--watch', 'again and again, until Ctrl-C')
    .option('--every <duration>', 'with --watch: how often', durationArgument, 1)
    .action(async (flags: { watch?: true; every: number }) => {
      const client = createClient(io)
      await watch(io, flags, async () => {
        const document = await client.get<CoherenceDocument>('/coherence')
        return { document, text: () => describe(document) }
      })
    })
  examples(command, 'kairos coherence', 'kairos coherence --json')
}

function registerHistory(coherence: Command, io: Io): void {
  const command = coherence
    .command('history')
    .description('the past, oldest first')
    .option('--since <duration>', 'from this long ago', durationArgument)
    .option('--limit <n>', 'most points', countArgument(1), 100)
    .action(async ({ since, limit }: { since?: number; limit: number }) => {
      const from = since === undefined ? undefined : Math.max(0, Date.now() - since * 1000)
      const client = createClient(io)
      const document = await client.get<{ points: CoherencePoint[] }>('/coherence/history', { since: from, limit })
      await io.document(document, () => table(['TIME', '|T|²', '', 'MESH |T|²', ''], document.points.map(pointColumns)))
    })
  examples(command, 'kairos coherence history --since 10m --limit 20')
}

function describe({ emissary, master, sync, global, reports }: CoherenceDocument): string {
  const own = (value: CoherenceValue | null) =>
    value === null ? 'none: no signal, or not in this role' : coherenceText(value)
  const facts = list([
    ['emissary', own(emissary)],
    ['master', own(master)],
    ['sync', sync === null ? own(null) : `${coherenceText(sync)}, Δ|T| ${sync.deltaMagnitude.toFixed(3)}`],
    ['mesh', globalText(global)],
  ])
  return reports.length === 0 ? facts : `${facts}\n${table(REPORT_HEADER, reports.map(reportColumns))}`
}

const REPORT_HEADER = ['NODE', 'ROLE', 'CELL', 'WEIGHT', '|T|²', '', 'AGE', 'STATE']

function reportColumns(report: ReportRow): string[] {
  return [
    report.name,
    report.role,
    report.cell,
    report.weight.toFixed(2),
    report.magnitudeSquared.toFixed(3),
    `${report.collapsed ? 'collapsed, ' : ''}${chance(report.falseAlarm)}`,
    humanDuration(report.ageSeconds),
    report.dissents ? `${report.state}, dissents` : report.state,
  ]
}

function pointColumns({ time, magnitudeSquared, collapsed, global }: CoherencePoint): string[] {
  const flag = (value: boolean | null) => (value === true ? 'collapsed' : '')
  return [
    new Date(time).toISOString(),
    magnitudeSquared?.toFixed(3) ?? '-',
    flag(collapsed),
    global.magnitudeSquared.toFixed(3),
    flag(global.collapsed),
  ]
}
