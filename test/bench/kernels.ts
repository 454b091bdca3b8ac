import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { quantile, type Figure, type Peer, type Report } from './figure.ts'
import { CASES } from './kernels-cases.ts'
import { timeNumpy, type NumpyTimes } from './kernels-numpy.ts'
import type { Timed } from './kernels-worker.ts'

const LOADS = 7
const TENFOLD = 10

/** The coherence kernels from wasm against TypeScript, and against NumPy when it is asked for. */
export async function benchKernels(peers: ReadonlySet<Peer>): Promise<Report> {
  const timed: Timed[] = []
  for (const index of CASES.keys()) timed.push(await timeCase(index))
  const numpy = peers.has('numpy') ? await timeNumpy() : undefined
  const figures = [...(await modules()), ...timed.map(againstTypeScript)]
  const remarks = [...tenTimes(timed)]
  if (numpy === undefined) return { figures, remarks }
  if ('missing' in numpy) return { figures, remarks: [...remarks, numpy.missing] }
  return { figures: [...figures, ...againstNumpy(timed, numpy)], remarks: [...remarks, numpy.versions] }
}

async function timeCase(index: number): Promise<Timed> {
  const worker = new Worker(new URL('kernels-worker.ts', import.meta.url), { workerData: index })
  const [timed] = (await once(worker, 'message')) as [Timed]
  await worker.terminate()
  return timed
}

function nameOf({ id, size, item }: Timed): string {
  return `${id}, ${size}; ns a ${item}`
}

function againstTypeScript(timed: Timed): Figure {
  const { wasm, copied, twin, tuned } = timed.ns
  const best = bestOf(timed)
  return {
    name: nameOf(timed),
    value: best / wasm,
    unit: '× the best TypeScript',
    ...(timed.target === undefined ? {} : { target: `≥ ${timed.target}` }),
    beside: {
      '× with copies': best / copied,
      '× typed arrays and Math': twin / wasm,
      'wasm, ns': wasm,
      'with copies, ns': copied,
      'tuned TypeScript, ns': tuned,
      'typed arrays and Math, ns': twin,
    },
  }
}

function bestOf({ ns }: Timed): number {
  return Math.min(ns.twin, ns.tuned)
}

/** What the source document promises, kernel by kernel and against either TypeScript. */
function tenTimes(timed: Timed[]): string[] {
  const kind = (one: Timed) => {
    if (bestOf(one) >= TENFOLD * one.ns.wasm) return 'both'
    if (one.ns.twin >= TENFOLD * one.ns.wasm) return 'math'
    return bestOf(one) >= one.ns.wasm ? 'less' : 'slower'
  }
  const { both = [], math = [], less = [], slower = [] } = Object.groupBy(timed, kind)
  const list = (those: Timed[]) => those.map(timesOf).join('; ') || 'none'
  return [
    'Wasm, its input already in place, is held against two TypeScripts. Plain: typed arrays with Math.cos and Math.sin, the twin that takes over where wasm does not run. Tuned: written for V8 alone, for those kernels that gain by it, with a table of 1024 sines, and sums that are folded or taken in blocks. In brackets: times faster than plain, and than tuned.',
    `“10 times faster than JavaScript” holds, whichever JavaScript is meant, for: ${list(both)}.`,
    `It holds against plain TypeScript but not against tuned for: ${list(math)}.`,
    `It holds against neither, though wasm is faster than both, for: ${list(less)}.`,
    `TypeScript is the faster, plain or tuned, for: ${list(slower)}.`,
  ]
}

function timesOf({ id, size, ns }: Timed): string {
  // Where nobody tuned it, the worker gives the twin's own time.
  const others = ns.tuned === ns.twin ? [ns.twin] : [ns.twin, ns.tuned]
  // Rounded down: 9.96 must not read as a 10 that holds.
  const times = others.map((other) => (Math.floor((10 * other) / ns.wasm) / 10).toFixed(1))
  return `${id}, ${size} (${times.join(' and ')})`
}

function againstNumpy(timed: Timed[], { times }: NumpyTimes): Figure[] {
  return times.flatMap(({ id, size, how, ns, isHeld }) => {
    const own = timed.find((one) => one.id === id && one.size === size)
    if (own === undefined) throw new Error(`numpy.py measures ${id}, ${size}, which is no case here`)
    return {
      name: `${nameOf(own)}; NumPy by ${how}`,
      value: ns / own.ns.wasm,
      unit: '× NumPy',
      ...(isHeld ? { target: '≥ 1' } : {}),
      beside: { 'wasm, ns': own.ns.wasm, 'NumPy, ns': ns },
    }
  })
}

async function modules(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [engine, file] of Object.entries({ simd: 'coherence.simd.wasm', plain: 'coherence.wasm' })) {
    const { size } = await stat(new URL(`../../wasm/modules/${file}`, import.meta.url))
    const loads: number[] = []
    for (let n = 0; n < LOADS; n++) loads.push(await loadTime(engine))
    figures.push(
      { name: `module, ${engine}`, value: size / 1000, unit: 'kB', target: '≤ 120' },
      { name: `load in a fresh process, ${engine}, median`, value: quantile(loads, 0.5), unit: 'ms', target: '≤ 30' },
    )
  }
  return figures
}

/** @returns ms of `loadCoherence`, glue and compilation included */
async function loadTime(engine: string): Promise<number> {
  const face = new URL('../../wasm/index.ts', import.meta.url).href
  const program = `
    const { loadCoherence } = await import('${face}')
    const begun = performance.now()
    const kernels = await loadCoherence({ engine: '${engine}' })
    console.log(kernels.engine === '${engine}' ? performance.now() - begun : NaN)`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program]
  return Number((await promisify(execFile)(process.execPath, args)).stdout)
}
