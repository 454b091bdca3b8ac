import type { Sample, TransducerState } from '../../../node/coherence/index.ts'
import { magnitudeSquared, step, unit } from '../../../node/coherence/index.ts'

export function phaseSample(time: number, phase: number): Sample {
  return { time, ...unit(phase), valid: true }
}

export function lost(time: number): Sample {
  return { time, re: 0, im: 0, valid: false }
}

/** n samples h apart from index `from`, of the phase given as a function of time. */
export function samplesOf(phase: (time: number) => number, h: number, n: number, from = 0): Sample[] {
  return Array.from({ length: n }, (_, k) => phaseSample((from + k) * h, phase((from + k) * h)))
}

export function run(state: TransducerState, samples: Iterable<Sample>): TransducerState {
  let next = state
  for (const sample of samples) next = step(next, sample)
  return next
}

/** Samples until the first collapse, counted from 1; undefined when it never comes. */
export function collapseIndex(state: TransducerState, samples: readonly Sample[]): number | undefined {
  let next = state
  for (const [k, sample] of samples.entries()) {
    next = step(next, sample)
    if (next.collapsed) return k + 1
  }
  return undefined
}

export function power(state: TransducerState): number {
  return magnitudeSquared(state.t)
}
