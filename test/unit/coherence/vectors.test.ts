import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Complex, TransducerConfig, WeightedReport } from '../../../node/coherence/index.ts'
import {
  createSync,
  createTransducer,
  dequantiseT,
  geometricMedian,
  goertzel,
  inner,
  magnitudeSquared,
  quantiseT,
  unit,
  weightedSum,
} from '../../../node/coherence/index.ts'
import { syncStep } from '../../../node/coherence/sync-layer.ts'
import { collapseIndex, phaseSample, run, samplesOf } from './signals.ts'

type Pair = [number, number]
type Params = Record<string, number> & { t: number[]; phase: number[]; w: number[]; T: Pair[]; Tm: Pair; Te: Pair }
interface Vector {
  id: string
  desc: string
  params: Params
  expect: [Pair]
  abs2: [number]
}

const file = new URL('../../fixtures/coherence/vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[]

const leaky = ({ omega = 0, h, tau }: Params, more: Partial<TransducerConfig> = {}) =>
  createTransducer({ omega, step: h, window: { tau: tau! }, ...more })
const boxcar = (omega: number, h: number, samples: number, more: Partial<TransducerConfig> = {}) =>
  createTransducer({ omega, step: h, window: { samples }, ...more })
const reports = (ts: Pair[], weights: number[]): WeightedReport[] =>
  ts.map(([re, im], k) => ({ peer: `peer${k}`, weight: weights[k]!, t: quantiseT({ re, im }) }))

/** The product's answer to a vector, by the first part of its id. */
const answers: Record<string, (p: Params, id: string) => Complex> = {
  V1: (p, id) => {
    const tone = (n: number) => samplesOf((t) => p['omega']! * t, p['h']!, n)
    if (id === 'V1.collapse_index') return { re: collapseIndex(leaky(p), tone(200))!, im: 0 }
    return run(leaky(p), tone(p['n']!)).t
  },
  V2: (p) =>
    run(
      leaky(p),
      samplesOf((t) => p['Omega']! * t, p['h']!, p['n']!),
    ).t,
  V4: (p) => {
    const lag = p['L']!
    // n counts products, and the first product needs L phasors before it.
    const samples = samplesOf((t) => p['Omega']! * t, p['h']!, p['n']! + lag)
    return run(leaky(p, { form: 'auto', lag }), samples).t
  },
  V5: (p, id) => {
    const lag = p['L']!
    const phase = id === 'V5.tone' ? (t: number) => p['Omega']! * t : (t: number) => (p['c']! * t * t) / 2
    const state = boxcar(p['omega']!, p['h']!, p['N']!, { form: 'cyclic', lag })
    // The first product is at time 0, so the phasors begin L samples earlier.
    return run(state, samplesOf(phase, p['h']!, p['N']! + lag, -lag)).t
  },
  V6: (p) => {
    const samples = Array.from({ length: p['N']! }, (_, k) => phaseSample(k, k % 2 === 0 ? p['theta']! : -p['theta']!))
    return run(boxcar(0, 1, p['N']!), samples).t
  },
  V7: (p) => {
    const settled = run(
      leaky(p),
      samplesOf(() => 0, p['h']!, 5000),
    )
    return run(
      settled,
      samplesOf(() => Math.PI / 2, p['h']!, p['n']!, 5000),
    ).t
  },
  V8: (p) => {
    // The vector gives the phases of the products, p = conj(u).
    const samples = p.t.map((time, k) => phaseSample(time, -p.phase[k]!))
    return run(createTransducer({ omega: 0, window: { tau: p['tau']! } }), samples).t
  },
  V9: (p) => {
    const half = ([re, im]: Pair) => {
      const state = createTransducer({ omega: 0, step: 1, window: { samples: 18 } })
      // Both halves keep their T: a sample that does not advance in time changes nothing.
      return { ...state, time: 0, t: { re, im } }
    }
    return syncStep(createSync(half(p.Tm), half(p.Te)), phaseSample(0, 0)).t
  },
  V10: (p, id) => {
    if (id === 'V10.gmquad') return dequantiseT(geometricMedian(reports(p.T, [1, 1, 1, 1])))
    return dequantiseT(
      weightedSum(
        reports(
          p.T,
          p.w.map((w) => Math.round(10 * w)),
        ),
      ),
    )
  },
  V11: (p) => {
    const offsets = Float64Array.from({ length: p['M']! }, (_, j) => j * p['h']!)
    return goertzel(
      offsets.map((t) => 0.7 * Math.cos(p['omega']! * t + 0.9) + 5),
      offsets,
      p['omega']!,
    )
  },
  V12: (p) => ({ re: kuramotoDifference(p['d0']!, p['K']!, Number(p.t)), im: 0 }),
}

/** Two oscillators coupled by Kuramoto's rule (RK4), their difference read with the product's inner product. */
function kuramotoDifference(start: number, coupling: number, time: number): number {
  const steps = 2000
  const h = time / steps
  const slope = (a: number, b: number) => (coupling / 2) * inner(unit(a), unit(b)).im
  let [a, b] = [0, start]
  for (let n = 0; n < steps; n++) {
    const k1 = slope(a, b)
    const k2 = slope(a + (h * k1) / 2, b - (h * k1) / 2)
    const k3 = slope(a + (h * k2) / 2, b - (h * k2) / 2)
    const k4 = slope(a + h * k3, b - h * k3)
    const move = (h * (k1 + 2 * k2 + 2 * k3 + k4)) / 6
    a += move
    b -= move
  }
  const between = inner(unit(a), unit(b))
  return Math.atan2(between.im, between.re)
}

describe('coherence: closed-form vectors', () => {
  for (const {
    id,
    desc,
    params,
    expect: [wanted],
    abs2,
  } of vectors) {
    it(`${id} ${desc}`, () => {
      const answer = answers[id.split('.')[0]!]!(params, id)
      expect(answer.re).to.be.closeTo(wanted[0], 1e-9)
      expect(answer.im).to.be.closeTo(wanted[1], 1e-9)
      expect(magnitudeSquared(answer)).to.be.closeTo(abs2[0], 2e-9)
    })
  }
})
