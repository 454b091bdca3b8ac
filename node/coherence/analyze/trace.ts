import type { TransducerState } from '../transducer.ts'
import { magnitudeSquared } from '../complex.ts'

/** T after one sample. */
export interface SeriesPoint {
  /** samples of T so far, from 1 */
  readonly n: number
  /** seconds, of the sample (of a block: its first reading) */
  readonly time: number
  readonly t: readonly [number, number]
  readonly magnitudeSquared: number
  readonly collapsed: boolean
}

// With no stride given the series keeps between half of this and this many points, however long the input.
const AUTO_POINTS = 400
// Bounds of what an input of any length can make grow.
export const MAX_POINTS = 1_000_000
export const MAX_INTERVALS = 100_000

/** What an analysis keeps of a run: a thinned series and the intervals of collapse. */
export interface Trace {
  readonly every: number | undefined
  stride: number
  series: SeriesPoint[]
  /** [from, to], seconds: the sample that closed the latch and the one that opened it, or the last */
  readonly intervals: [number, number][]
  open: number | undefined
  /** of the first sample whose collapse was seen, seconds */
  firstCollapse: number | undefined
  truncated: boolean
}

export function createTrace(every: number | undefined): Trace {
  return {
    every,
    stride: every ?? 1,
    series: [],
    intervals: [],
    open: undefined,
    firstCollapse: undefined,
    truncated: false,
  }
}

/** Notes the state after a sample. */
export function note(trace: Trace, state: TransducerState): void {
  const { time, count, collapsed } = state
  if (collapsed && trace.open === undefined) {
    trace.open = time
    trace.firstCollapse ??= time
  }
  if (!collapsed && trace.open !== undefined) closeInterval(trace, trace.open, time)
  if (count % trace.stride === 0) keep(trace, pointOf(state))
}

/** Closes what is open at the end of the input; without a stride the last point always ends the series. */
export function finish(trace: Trace, state: TransducerState): void {
  if (trace.open !== undefined) closeInterval(trace, trace.open, state.time)
  const isLast = trace.series.at(-1)?.n === state.count
  if (trace.every === undefined && !isLast && state.count > 0) trace.series.push(pointOf(state))
}

function pointOf({ count, time, t, collapsed }: TransducerState): SeriesPoint {
  return { n: count, time, t: [t.re, t.im], magnitudeSquared: magnitudeSquared(t), collapsed }
}

function closeInterval(trace: Trace, from: number, to: number): void {
  if (trace.intervals.length < MAX_INTERVALS) trace.intervals.push([from, to])
  else trace.truncated = true
  trace.open = undefined
}

function keep(trace: Trace, point: SeriesPoint): void {
  if (trace.series.length < MAX_POINTS) trace.series.push(point)
  else trace.truncated = true
  if (trace.every !== undefined || trace.series.length <= AUTO_POINTS) return
  trace.stride *= 2
  trace.series = trace.series.filter(({ n }) => n % trace.stride === 0)
}
