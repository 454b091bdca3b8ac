import { expect } from 'chai'
import * as fc from 'fast-check'
import type { Sample } from '../../../node/coherence/index.ts'
import {
  boxcarZero,
  createTransducer,
  gaussian,
  leak,
  LEAKY_ZERO,
  magnitude,
  mulberry32,
  slide,
  step,
} from '../../../node/coherence/index.ts'
import { farthest, loadAll } from '../../unit/wasm/engines.ts'
import { collapseIndex, phaseSample, power, run, samplesOf } from '../../unit/coherence/signals.ts'

const TWO_ULP = 2 * Number.EPSILON
const anyNumber = fc.oneof(
  fc.double(),
  fc.double({ min: -2, max: 2, noNaN: true }),
  fc.constantFrom(NaN, Infinity, -Infinity, 1e308, 5e-324, 0),
)
const anySample: fc.Arbitrary<Sample> = fc.record({
  time: anyNumber,
  re: anyNumber,
  im: anyNumber,
  valid: fc.boolean(),
})
const anyWindow = fc.constantFrom({ tau: 1e-6 }, { tau: 0.25 }, { tau: 1e6 }, { samples: 1 }, { samples: 7 })
const anyConfig = fc.record({
  form: fc.constantFrom('ref', 'auto', 'cyclic'),
  omega: fc.double({ min: -1e3, max: 1e3, noNaN: true }),
  lag: fc.integer({ min: 1, max: 5 }),
  window: anyWindow,
  step: fc.constantFrom(undefined, 0.01, 1),
  shortWindow: fc.constant('hold' as const),
})

const leaky = (h: number, tau: number, omega = 2) => createTransducer({ omega, step: h, window: { tau } })

describe('coherence P1–P6: the operator', () => {
  it('P1 |T| ≤ 1 within 2 ulp, whatever the input', () => {
    fc.assert(
      fc.property(anyConfig, fc.array(anySample, { maxLength: 60 }), (config, samples) => {
        let state = createTransducer(config)
        for (const sample of samples) {
          state = step(state, sample)
          expect(magnitude(state.t)).to.be.at.most(1 + TWO_ULP)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('P1 holds at the edge too: ten thousand coherent samples never push |T| over', () => {
    for (const window of [{ tau: 0.25 }, { samples: 333 }]) {
      let state = createTransducer({ omega: 2, step: 0.01, window })
      for (const sample of samplesOf((t) => 2 * t, 0.01, 10_000)) {
        state = step(state, sample)
        expect(magnitude(state.t)).to.be.at.most(1 + TWO_ULP)
      }
    }
  })

  it('P1 holds for products that rounding has put outside the disc', () => {
    const product = { re: 0.6 * (1 + 1e-14), im: 0.8 * (1 + 1e-14) }
    let [leaky, boxcar] = [LEAKY_ZERO, boxcarZero(3)]
    for (let k = 0; k < 1000; k++) {
      leaky = leak(leaky, product, 0.5, true)
      boxcar = slide(boxcar, product)
      expect(Math.max(magnitude(leaky), magnitude(boxcar))).to.be.at.most(1 + TWO_ULP)
    }
  })

  it('P2 on a tone at ω |T_n| = 1 - a^n, and collapse comes at ceil(3.676138·tau/h); 92 for tau .25, h .01', () => {
    expect(
      collapseIndex(
        leaky(0.01, 0.25),
        samplesOf((t) => 2 * t, 0.01, 200),
      ),
    ).to.equal(92)
    fc.assert(
      fc.property(
        fc.double({ min: 0.12, max: 1, noNaN: true }),
        fc.double({ min: -20, max: 20, noNaN: true }),
        (tau, omega) => {
          const n = Math.ceil(3.676138347 * (tau / 0.01))
          const samples = samplesOf((t) => omega * t, 0.01, n + 1)
          expect(collapseIndex(leaky(0.01, tau, omega), samples)).to.be.within(n, n + 1)
          const { t } = run(leaky(0.01, tau, omega), samples.slice(0, n))
          expect(magnitude(t)).to.be.closeTo(1 - Math.exp((-n * 0.01) / tau), 1e-12)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('P3 off ω by δ the steady |T|² is (1-a)²/(1-2a·cos(δh)+a²), and it locks iff |δ|·tau ≤ .229416', () => {
    const [h, tau] = [0.001, 0.25]
    const a = Math.exp(-h / tau)
    const steady = (delta: number) =>
      run(
        leaky(h, tau),
        samplesOf((t) => (2 + delta) * t, h, 8000),
      )
    fc.assert(
      fc.property(fc.double({ min: -40, max: 40, noNaN: true }), (delta) => {
        const wanted = (1 - a) ** 2 / (1 - 2 * a * Math.cos(delta * h) + a * a)
        expect(power(steady(delta))).to.be.closeTo(wanted, 1e-9)
      }),
      { numRuns: 20 },
    )
    const edge = 0.229416 / tau
    for (const sign of [1, -1]) {
      expect(power(steady(sign * edge * 0.999))).to.be.at.least(0.95)
      expect(power(steady(sign * edge * 1.001))).to.be.lessThan(0.95)
    }
  })

  it('P4 phase noise of σ takes |T|² to e^{-σ²}; .226480 rad is the limit', () => {
    const random = mulberry32(4)
    const jittered = (sigma: number) => {
      const state = createTransducer({ omega: 2, step: 0.01, window: { samples: 200_000 } })
      return power(
        run(
          state,
          samplesOf((t) => 2 * t + sigma * gaussian(random), 0.01, 200_000),
        ),
      )
    }
    for (const sigma of [0.1, 0.22648, 0.5, 1]) expect(jittered(sigma)).to.be.closeTo(Math.exp(-sigma * sigma), 0.003)
    expect(Math.exp(-(0.22648 ** 2))).to.be.closeTo(0.95, 1e-6)
  })

  it('P6 heals: 3.676 tau from 0, 4.369 from -1, 1.393/2.942/3.663 after a step of 30/60/90°', () => {
    const [h, tau] = [0.001, 1]
    const taus = (samples: Sample[], from = leaky(h, tau, 0)) => (collapseIndex(from, samples) ?? NaN) * (h / tau)
    expect(taus(samplesOf(() => 0, h, 6000))).to.be.closeTo(3.676, 1e-3)
    const settled = (phase: number) =>
      run(
        leaky(h, tau, 0),
        samplesOf(() => phase, h, 40_000),
      )
    const healed = (phase: number) => {
      let state = settled(phase)
      for (const [k, sample] of samplesOf(() => 0, h, 6000, 40_000).entries()) {
        state = step(state, sample)
        // From the far side |T|² falls first; what counts is when it is back, pointing the new way.
        if (power(state) >= 0.95 && state.t.re > 0.95) return (k + 1) * (h / tau)
      }
      return NaN
    }
    expect(healed(Math.PI)).to.be.closeTo(4.369, 2e-3)
    expect(lastMiss(settled(Math.PI / 6), h)).to.be.closeTo(1.393, 2e-3)
    expect(lastMiss(settled(Math.PI / 3), h)).to.be.closeTo(2.942, 2e-3)
    expect(lastMiss(settled(Math.PI / 2), h)).to.be.closeTo(3.663, 2e-3)
  })

  it('P10 the batch operator equals the step operator to 1e-12', async () => {
    const random = mulberry32(10)
    const phases = Float64Array.from({ length: 5000 }, () => 7 * random())
    const { t } = run(
      leaky(0.01, 2, 3),
      Array.from(phases, (phase, k) => phaseSample(k * 0.01, phase)),
    )
    for (const kernels of await loadAll()) {
      const bank = kernels.leakyBank({ streams: 1, maxSteps: 3500, omega: 3, step: 0.01, tau: 2 })
      for (const to of [1, 1500, 5000]) {
        bank.phases.set(phases.subarray(bank.count, to))
        bank.advance(to - bank.count)
      }
      const [re, im] = [new Float64Array(1), new Float64Array(1)]
      bank.read(re, im)
      expect(bank.count).to.equal(5000)
      expect(farthest([...re, ...im], [t.re, t.im]), kernels.engine).to.be.at.most(1e-12)
    }
  })
})

/** Seconds after a phase step until |T|² is at .95 for good. */
function lastMiss(settled: ReturnType<typeof leaky>, h: number): number {
  let state = settled
  let last = 0
  for (const [k, sample] of samplesOf(() => 0, h, 6000, 40_000).entries()) {
    state = step(state, sample)
    if (power(state) < 0.95) last = k + 2
  }
  return last * h
}
