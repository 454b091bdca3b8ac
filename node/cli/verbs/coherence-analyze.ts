import { writeFile } from 'node:fs/promises'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { analyze, type AnalysisResult, type AnalyzeOptions } from '../../coherence/analyze/analyze.ts'
import { colours, type Io } from '../io.ts'
import { svgPlot, terminalPlot } from '../plot.ts'
import { countArgument, examples } from '../program.ts'
import { list, table } from '../text.ts'

const MAX_INTERVAL_ROWS = 20

/** The flags as commander gives them; the rest of the analysis is told in their own words. */
interface Flags extends Omit<AnalyzeOptions, 'file' | 'rateHz' | 'periodS' | 'tauS' | 'tauMaxS'> {
  readonly rate?: number
  readonly period?: number
  readonly tau?: number
  readonly tauMax?: number
  readonly svg?: string
}

/**
 * Adds `analyze FILE` to the verb `coherence`.
 *
 * @param coherence - the verb
 * @param io - `-` reads its stdin
 */
export function registerCoherenceAnalyze(coherence: Command, io: Io): void {
  const command = coherence
    .command('analyze')
    .description('run the coherence operator over a recording, offline')
    .argument('<file>', 'CSV with a header line, or - for stdin')
    .option('--column <name>', 'raw real samples, with --block')
    .option('--block <n>', 'samples per Goertzel block, at least one cycle', countArgument(2))
    .option('--phase-column <name>', 'phases in rad')
    .option('--reference-column <name>', 'phases of a second signal in rad, in place of omega')
    .option('--rate <hz>', 'samples per second, also as 1/3600', numberArgument)
    .option('--time-column <name>', 'times in seconds; the first sample only starts the clock')
    .option('--omega <rad/s>', 'the rhythm to look for', numberArgument)
    .option('--period <s>', 'the same as a period', numberArgument)
    .addOption(new Option('--form <form>', 'form of the operator').choices(['ref', 'auto', 'cyclic']).default('ref'))
    .option('--lag <n>', 'lag of auto and cyclic, in samples', countArgument(1))
    .option('--tau <s>', 'time constant of the leaky integrator', numberArgument)
    .option('--tau-max <s>', 'the same as the time in which a coherent input collapses', numberArgument)
    .option('--window <n>', 'mean over the last N samples in its place', countArgument(1))
    .option('--threshold <c>', 'collapse at |T|² of this', numberArgument, 0.95)
    .option('--bandwidth <part>', 'occupied part of the band when the input was filtered', numberArgument)
    .option('--every <n>', 'a point of the series every N samples', countArgument(1))
    .addOption(
      new Option('--on-bad-sample <what>', 'what a bad line does').choices(['stop', 'invalid']).default('stop'),
    )
    .option('--svg <file>', 'write a picture')
    .action(async (file: string, flags: Flags) => {
      const { rate, period, tau, tauMax, svg, ...rest } = flags
      const options = { ...rest, file, rateHz: rate, periodS: period, tauS: tau, tauMaxS: tauMax }
      const result = await analyze(options, { signal: io.signal, stdin: io.stdin })
      for (const warning of result.warnings) io.note(`warning: ${warning}`)
      if (svg !== undefined) await writeFile(svg, svgPlot(curve(result), { ...result, title: titleOf(result) }))
      await io.document(result, () => describe(result, io))
    })
  const recording = 'bootstrap/recording/seattle-weather-hourly-normals.csv'
  const daily = `${recording} --column temperature --block 24 --rate 1/3600 --period 86400`
  examples(
    command,
    `kairos coherence analyze ${daily} --tau 864000`,
    `kairos coherence analyze ${daily} --window 364 --json`,
  )
}

/** commander's argument parser for numbers, also as a fraction. */
function numberArgument(text: string): number {
  const [, top = '', bottom = '1'] = /^([^/]+)(?:\/([^/]+))?$/.exec(text) ?? []
  const value = top.trim() === '' ? NaN : Number(top) / Number(bottom)
  if (!Number.isFinite(value)) throw new InvalidArgumentError('Give a number such as 0.5, 1e-3 or 1/3600.')
  return value
}

function curve(result: AnalysisResult): { time: number; value: number }[] {
  return result.series.map(({ time, magnitudeSquared }) => ({ time, value: magnitudeSquared }))
}

function titleOf({ threshold, falseAlarm, nEff }: AnalysisResult): string {
  return `|T|², collapse at ${threshold}; false alarm ≤ ${falseAlarm.toPrecision(2)} (N_eff ${nEff.toFixed(1)})`
}

function describe(result: AnalysisResult, io: Io): string {
  const { t, magnitudeSquared, firstCollapse, intervals } = result
  const facts = list([
    ['samples', `${result.samples}`],
    ['blocks', `${result.blocks}`],
    ['omega', `${short(result.omega)} rad/s`],
    ['tau', result.tau === null ? 'boxcar' : `${short(result.tau)} s`],
    ['N_eff', result.nEff.toFixed(1)],
    ['T', `${t[0].toFixed(6)} ${t[1] < 0 ? '-' : '+'} ${Math.abs(t[1]).toFixed(6)}i`],
    ['|T|²', `${magnitudeSquared.toFixed(6)}, ${result.collapsed ? 'collapsed' : 'not collapsed'}`],
    ['false alarm', `noise alone reaches ${result.threshold} with probability ≤ ${result.falseAlarm.toPrecision(2)}`],
    ['first collapse', firstCollapse === null ? 'never' : `${short(firstCollapse)} s`],
  ])
  const rows = intervals.slice(0, MAX_INTERVAL_ROWS).map(([from, to]) => [short(from), short(to), short(to - from)])
  const more = intervals.length > rows.length ? `… and ${intervals.length - rows.length} more, see --json\n` : ''
  const spans = rows.length === 0 ? '' : `\n${table(['collapsed from s', 'to s', 'for s'], rows)}${more}`
  const { stdout } = io
  const width = Math.min(100, stdout.columns ?? 72)
  const plot = { title: titleOf(result), threshold: result.threshold, width, colour: colours(io, stdout) }
  return `${facts}${spans}\n${terminalPlot(curve(result), plot)}`
}

function short(value: number): string {
  return `${Number(value.toPrecision(7))}`
}
