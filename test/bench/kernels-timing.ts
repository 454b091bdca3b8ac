import { performance } from 'node:perf_hooks'
import { quantile } from './figure.ts'

const WARM_UP_MS = 80
const BATCH_MS = 2
const BATCHES = 5
const ROUNDS = 7

/**
 * Each run in turns, round by round, so that all meet the same machine; a round's figure is the median of its batches.
 *
 * @returns the best round of each, nanoseconds a run
 */
export function timeRuns(runs: Record<string, () => void>): Record<string, number> {
  const names = Object.keys(runs)
  const sizes = names.map((name) => warmUp(runs[name]!))
  const best = names.map(() => Infinity)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [n, name] of names.entries()) {
      const batches = Array.from({ length: BATCHES }, () => timeBatch(runs[name]!, sizes[n]!))
      best[n] = Math.min(best[n]!, quantile(batches, 0.5))
    }
  }
  return Object.fromEntries(names.map((name, n) => [name, best[n]!]))
}

/** @returns how many runs a batch takes */
function warmUp(run: () => void): number {
  const started = performance.now()
  let size = 1
  for (let took = 0; took < BATCH_MS || performance.now() - started < WARM_UP_MS;) {
    took = (timeBatch(run, size) * size) / 1e6
    if (took < BATCH_MS) size *= 2
  }
  return size
}

function timeBatch(run: () => void, size: number): number {
  const started = performance.now()
  for (let n = 0; n < size; n++) run()
  return ((performance.now() - started) * 1e6) / size
}
