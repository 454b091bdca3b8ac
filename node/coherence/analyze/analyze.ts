import { CodedError } from '../../../protocols/shared/errors.ts'
import { magnitudeSquared } from '../complex.ts'
import { MIN_EFFECTIVE_SAMPLES } from '../constants.ts'
import type { IngestDeps } from '../ingest/events.ts'
import { createIngest, signalOmega } from '../ingest/index.ts'
import { falseAlarm } from '../statistics.ts'
import type { TransducerState } from '../transducer.ts'
import { createTransducer, step } from '../transducer.ts'
import type { AnalyzeOptions } from './options.ts'
import { signalOf, transducerOf } from './options.ts'
import type { SeriesPoint, Trace } from './trace.ts'
import { createTrace, finish, MAX_INTERVALS, MAX_POINTS, note } from './trace.ts'

export type { AnalyzeOptions } from './options.ts'
export type { SeriesPoint } from './trace.ts'

/** The document of `coherence analyze --json`. */
export interface AnalysisResult {
  /** readings taken, bad ones included */
  readonly samples: number
  /** phasors integrated: Goertzel blocks, or as many as samples when the input is phases */
  readonly blocks: number
  /** rad/s */
  readonly omega: number
  /** seconds; null for a boxcar */
  readonly tau: number | null
  readonly nEff: number
  /** bound on the probability that noise alone shows |T|² ≥ threshold with this N_eff */
  readonly falseAlarm: number
  /** T after the last sample */
  readonly t: readonly [number, number]
  readonly magnitudeSquared: number
  readonly threshold: number
  readonly collapsed: boolean
  /** seconds, of the sample (of a block: its first reading) that first closed the latch; null for never */
  readonly firstCollapse: number | null
  /** [from, to] in seconds: the sample that closed the latch, the one that opened it or the last */
  readonly intervals: readonly (readonly [number, number])[]
  readonly series: readonly SeriesPoint[]
  readonly warnings: readonly string[]
}

/**
 * Runs the operator over a recording (coherence.md §1–6). A window under 18 effective samples is not refused here but
 * analysed with a warning, and never reported as collapsed.
 *
 * @throws CodedError E_USAGE, E_SIGNAL_CONFIG, E_TRANSDUCER_CONFIG, E_WINDOW_UNDER_CYCLE for options that
 *   cannot work; E_INPUT_… for bad input, with its line; E_INPUT_EMPTY when no sample of T came of it
 */
export async function analyze(options: AnalyzeOptions, deps: IngestDeps): Promise<AnalysisResult> {
  const signal = signalOf(options)
  const omega = signalOmega(signal)
  let state = createTransducer(transducerOf(options, signal, omega))
  const trace = createTrace(options.every)
  let samples = 0
  let bad = 0
  const onEvent: IngestDeps['onEvent'] = (event) => {
    if (event.type === 'end') samples = event.readings
    if (event.type === 'bad-sample') bad += 1
    deps.onEvent?.(event)
  }
  for await (const batch of createIngest(signal, { ...deps, onEvent })) {
    for (const sample of batch) {
      state = step(state, sample)
      note(trace, state)
    }
  }
  deps.signal.throwIfAborted()
  finish(trace, state)
  if (state.count === 0) throw emptyInput(options, samples)
  return resultOf({ state, trace, samples, bad, omega })
}

function emptyInput(options: AnalyzeOptions, samples: number): CodedError {
  const found =
    samples === 0 ? 'no samples after the header' : `${samples} samples, less than one block of ${options.block}`
  return new CodedError('E_INPUT_EMPTY', `${options.file} holds ${found}`, { hint: 'check the file and --block' })
}

interface Run {
  readonly state: TransducerState
  readonly trace: Trace
  readonly samples: number
  readonly bad: number
  readonly omega: number
}

function resultOf(run: Run): AnalysisResult {
  const { state, trace, samples, omega } = run
  const { threshold } = state.params.latch
  return {
    samples,
    blocks: state.count,
    omega,
    tau: state.params.tau ?? null,
    nEff: state.nEff,
    falseAlarm: falseAlarm(state.nEff, threshold),
    t: [state.t.re, state.t.im],
    magnitudeSquared: magnitudeSquared(state.t),
    threshold,
    collapsed: state.collapsed,
    firstCollapse: trace.firstCollapse ?? null,
    intervals: trace.intervals,
    series: trace.series,
    warnings: warningsOf(run),
  }
}

function warningsOf({ state, trace, bad }: Run): string[] {
  const warnings: string[] = []
  if (state.nEff < MIN_EFFECTIVE_SAMPLES) {
    warnings.push(
      `the window holds ${state.nEff.toFixed(1)} effective samples, under ${MIN_EFFECTIVE_SAMPLES}: ` +
        'noise could look like collapse, so none is reported; lengthen the window or sample faster',
    )
  }
  if (bad > 0) warnings.push(`${bad} bad samples were taken as invalid`)
  if (state.refused > 0) warnings.push(`${state.refused} samples did not advance in time and were left out`)
  if (trace.truncated) warnings.push(`only ${MAX_POINTS} points and ${MAX_INTERVALS} intervals are kept`)
  return warnings
}
