import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { CoherenceKernels, Form, LeakyBankParams } from '../../../wasm/index.ts'
import { ENGINES, loadAll, withArrays } from './engines.ts'

type Pair = [number, number]
type Params = Record<string, number> & { w: number[]; T: Pair[] }
interface Vector {
  id: string
  desc: string
  params: Params
  expect: [Pair]
  abs2: [number]
}

const ONE = 2 ** 30
const file = new URL('../../fixtures/coherence/vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[]

/** T after samples of these phases, from a bank of one stream. */
function leaky(kernels: CoherenceKernels, params: Params, phases: number[], form: Form = 'ref'): Pair {
  const { omega = 0, h, tau, L } = params
  const shape: LeakyBankParams = {
    form,
    streams: 1,
    maxSteps: phases.length,
    omega,
    step: h!,
    tau: tau!,
    ...(form === 'ref' ? {} : { lag: L! }),
  }
  const bank = kernels.leakyBank(shape)
  bank.phases.set(phases)
  bank.advance(phases.length)
  const [re, im] = [new Float64Array(1), new Float64Array(1)]
  bank.read(re, im)
  bank.free()
  return [re[0]!, im[0]!]
}

const phasesOf = (phase: (time: number) => number, h: number, n: number) =>
  Array.from({ length: n }, (_, k) => phase(k * h))

/** The mean of unit phasors: a boxcar over all of them. */
function meanPhasor(kernels: CoherenceKernels, phases: number[]): Pair {
  return withArrays(kernels, (arrayOf) => {
    const [from, re, im] = [phases, phases, phases].map((values) => arrayOf('f64', values))
    kernels.phasors(from!, re!, im!)
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / phases.length
    return [mean(re!.values), mean(im!.values)]
  })
}

function reports(
  kernels: CoherenceKernels,
  ts: Pair[],
  weights: number[],
  name: 'weightedSum' | 'geometricMedian',
): Pair {
  return withArrays(kernels, (arrayOf) => {
    const [re, im] = [0, 1].map((part) => {
      const quantised = arrayOf('i32', weights)
      kernels.quantise(
        arrayOf(
          'f64',
          ts.map((t) => t[part]!),
        ),
        quantised,
      )
      return quantised
    })
    const t = kernels[name]({ weights: arrayOf('f64', weights), re: re!, im: im! })
    return [t.re / ONE, t.im / ONE]
  })
}

/** The kernels' answer to a vector; V8, V9 and V12 are about what no kernel does. */
const answers: Record<string, (kernels: CoherenceKernels, p: Params, id: string) => Pair> = {
  V1: (kernels, p, id) => {
    const grown = (n: number) =>
      leaky(
        kernels,
        p,
        phasesOf((t) => p['omega']! * t, p['h']!, n),
      )
    if (id !== 'V1.collapse_index') return grown(p['n']!)
    return [Array.from({ length: 200 }, (_, n) => n + 1).find((n) => grown(n)[0] ** 2 >= p['Ic']!)!, 0]
  },
  V2: (kernels, p) =>
    leaky(
      kernels,
      p,
      phasesOf((t) => p['Omega']! * t, p['h']!, p['n']!),
    ),
  // n counts products, and the first product needs L phasors before it.
  V4: (kernels, p) =>
    leaky(
      kernels,
      p,
      phasesOf((t) => p['Omega']! * t, p['h']!, p['n']! + p['L']!),
      'auto',
    ),
  V5: (kernels, p, id) => {
    const phase = id === 'V5.tone' ? (t: number) => p['Omega']! * t : (t: number) => (p['c']! * t * t) / 2
    const product = (t: number) => phase(t - p['L']! * p['h']!) - phase(t) + p['omega']! * t
    return meanPhasor(kernels, phasesOf(product, p['h']!, p['N']!))
  },
  V6: (kernels, p) => {
    const phases = Array.from({ length: p['N']! }, (_, k) => (k % 2 === 0 ? p['theta']! : -p['theta']!))
    return [
      withArrays(kernels, (arrayOf) =>
        kernels.phaseLocking(
          arrayOf('f64', phases),
          arrayOf(
            'f64',
            phases.map(() => 0),
          ),
        ),
      ),
      meanPhasor(kernels, phases)[1],
    ]
  },
  V7: (kernels, p) => {
    const settled = phasesOf(() => 0, p['h']!, 5000)
    return leaky(kernels, p, [...settled, ...phasesOf(() => Math.PI / 2, p['h']!, p['n']!)])
  },
  V10: (kernels, p, id) => {
    if (id === 'V10.gmquad') return reports(kernels, p.T, [1, 1, 1, 1], 'geometricMedian')
    const weights = p.w.map((w) => Math.round(10 * w))
    return reports(kernels, p.T, weights, 'weightedSum')
  },
  V11: (kernels, p) => {
    const bank = kernels.goertzelBank({ angles: [p['omega']! * p['h']!], maxValues: p['M']! })
    bank.values.set(phasesOf((t) => 0.7 * Math.cos(p['omega']! * t + 0.9) + 5, p['h']!, p['M']!))
    bank.transform(p['M']!)
    const found: Pair = [bank.re[0]!, bank.im[0]!]
    bank.free()
    return found
  },
}

describe('wasm coherence: closed-form vectors', () => {
  let engines: CoherenceKernels[]
  before(async () => (engines = await loadAll()))

  it('leave out only what no kernel does', () => {
    const left = new Set(vectors.map(({ id }) => id.split('.')[0]!).filter((id) => answers[id] === undefined))
    expect([...left]).to.deep.equal(['V8', 'V9', 'V12'])
  })

  for (const [at, engine] of ENGINES.entries()) {
    for (const { id, desc, params, expect: wanted, abs2 } of vectors) {
      const answer = answers[id.split('.')[0]!]
      if (answer === undefined) continue
      it(`${id} ${desc} (${engine})`, () => {
        const [re, im] = answer(engines[at]!, params, id)
        expect(re).to.be.closeTo(wanted[0][0], 1e-9)
        expect(im).to.be.closeTo(wanted[0][1], 1e-9)
        expect(re * re + im * im).to.be.closeTo(abs2[0], 2e-9)
        expect(engines[at]!.faults).to.equal(0)
      })
    }
  }
})
