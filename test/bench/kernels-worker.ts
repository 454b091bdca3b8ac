import { parentPort, workerData } from 'node:worker_threads'
import { loadCoherence } from '../../wasm/index.ts'
import type { Work } from './kernels-case.ts'
import { CASES } from './kernels-cases.ts'
import { timeRuns } from './kernels-timing.ts'

/** One case in a thread of its own: V8 must not have seen the same functions with arrays of another width. */
export interface Timed {
  readonly id: string
  readonly size: string
  readonly item: string
  readonly target: number | undefined
  /** nanoseconds an item */
  readonly ns: { readonly wasm: number; readonly copied: number; readonly twin: number; readonly tuned: number }
}

const { id, size, item, items, target, make, makeTuned } = CASES[workerData as number]!()
const wasm = make(await loadCoherence({ engine: 'simd' }))
const twin = make(await loadCoherence({ engine: 'typescript' }))
const tuned = makeTuned?.()
wasm.run()
for (const other of [twin, tuned]) if (other !== undefined) holdSame(wasm, other)

const took = timeRuns({
  wasm: wasm.run,
  copied: wasm.runCopied,
  twin: twin.run,
  ...(tuned === undefined ? {} : { tuned: tuned.run }),
})
const ns = {
  wasm: took.wasm! / items,
  copied: took.copied! / items,
  twin: took.twin! / items,
  tuned: (took.tuned ?? took.twin!) / items,
}
parentPort!.postMessage({ id, size, item, target, ns } satisfies Timed, [])

/** A race of runners with different goals would say nothing. */
function holdSame(one: Work, other: Work): void {
  other.run()
  const [a, b] = [one.result(), other.result()]
  for (let k = 0; k < a.length; k++) {
    if (!(Math.abs(a[k]! - b[k]!) <= 1e-5 * Math.max(1, Math.abs(b[k]!))))
      throw new Error(`${id}: ${a[k]} and ${b[k]} at ${k}`)
  }
}
