import { expect } from 'chai'
import * as fc from 'fast-check'
import { createTransducer, step } from '../../../node/coherence/index.ts'
import type { CoherenceKernels, Form, LeakyBankParams, Precision } from '../../../wasm/index.ts'
import { bitsOf, farthest, loadAll } from '../../unit/wasm/engines.ts'
import { lost, phaseSample } from '../../unit/coherence/signals.ts'

interface Case {
  readonly params: LeakyBankParams
  /** samples by rows of all streams */
  readonly phases: readonly number[]
  readonly rows: number
}

const LIMIT = { f64: 2 ** 12, f32: 6.28 } as const

/** Streams in odd numbers and beyond what is worked on at once, with lags below and above any piece. */
function cases(phase: fc.Arbitrary<number>): fc.Arbitrary<Case> {
  const shape = fc.tuple(fc.constantFrom<Form>('ref', 'auto', 'cyclic'), fc.constantFrom(1, 2, 7, 8, 9, 17, 33))
  const clock = fc.record({
    omega: fc.double({ min: -20, max: 20, noNaN: true }),
    step: fc.double({ min: 1e-3, max: 0.5, noNaN: true }),
    tau: fc.double({ min: 1e-3, max: 50, noNaN: true }),
  })
  return fc
    .tuple(shape, fc.constantFrom(1, 2, 16, 40, 90), fc.integer({ min: 0, max: 70 }), clock)
    .chain(([[form, streams], lag, rows, clock]) => {
      const params = { form, streams, maxSteps: 80, ...clock, ...(form === 'ref' ? {} : { lag }) }
      const phases = fc.array(phase, { minLength: rows * streams, maxLength: rows * streams })
      return phases.map((phases) => ({ params, phases, rows }))
    })
}

const invalid = fc.constantFrom(NaN, Infinity, -Infinity)
const phaseIn = (precision: Precision) => {
  const max = LIMIT[precision]
  const within = fc.double({ min: -max, max, noNaN: true }).map(precision === 'f32' ? Math.fround : Number)
  return fc.oneof({ weight: 8, arbitrary: within }, { weight: 1, arbitrary: invalid })
}

/** T of all streams after the rows, given in pieces; real parts, then imaginary ones. */
function tAfter(
  kernels: CoherenceKernels,
  precision: Precision,
  { params, phases, rows }: Case,
  cuts: readonly number[],
) {
  const bank = kernels.leakyBank(params, precision)
  const { streams } = params
  const ends = [...cuts.map((cut) => Math.min(cut, rows)), rows].sort((a, b) => a - b)
  for (const end of ends) {
    bank.phases.set(phases.slice(bank.count * streams, end * streams))
    bank.advance(end - bank.count)
  }
  expect(bank.count).to.equal(rows)
  const [re, im] = [new Float64Array(streams), new Float64Array(streams)]
  bank.read(re, im)
  bank.free()
  return [...re, ...im]
}

/** The node's transducer, sample by sample. */
function transduced({ params, phases, rows }: Case): number[] {
  const { form = 'ref', omega, step: h, tau, streams, lag } = params
  const ts = Array.from({ length: streams }, (_, stream) => {
    const config = {
      form,
      omega,
      step: h,
      window: { tau },
      shortWindow: 'hold',
      ...(lag === undefined ? {} : { lag }),
    } as const
    let state = createTransducer(config)
    for (let row = 0; row < rows; row++) {
      const phase = phases[row * streams + stream]!
      state = step(state, Number.isFinite(phase) ? phaseSample(row * h, phase) : lost(row * h))
    }
    expect([state.count, state.refused]).to.deep.equal([rows, 0])
    return state.t
  })
  return [...ts.map(({ re }) => re), ...ts.map(({ im }) => im)]
}

describe('wasm coherence: the leaky bank', () => {
  let engines: CoherenceKernels[]
  before(async () => (engines = await loadAll()))
  after(() => expect(engines.map(({ faults }) => faults)).to.deep.equal([0, 0, 0]))

  for (const precision of ['f64', 'f32'] as const) {
    it(`has the same bits however its rows are cut into calls, on every engine, ${precision}`, () => {
      const cuts = fc.array(fc.nat(70), { maxLength: 5 })
      fc.assert(
        fc.property(cases(phaseIn(precision)), cuts, (some, cuts) => {
          const [simd, plain, typescript] = engines.map((kernels) => {
            const whole = tAfter(kernels, precision, some, [])
            expect(bitsOf(tAfter(kernels, precision, some, cuts)), kernels.engine).to.deep.equal(bitsOf(whole))
            return whole
          })
          expect(bitsOf(plain!)).to.deep.equal(bitsOf(simd!))
          expect(farthest(simd!, typescript!)).to.be.at.most(precision === 'f64' ? 1e-12 : 3e-6)
        }),
        { numRuns: 150 },
      )
    })

    it(`is a transducer of each stream, ${precision}`, () => {
      fc.assert(
        fc.property(cases(phaseIn(precision)), (some) => {
          const wanted = transduced(some)
          for (const kernels of engines) {
            const apart = farthest(tAfter(kernels, precision, some, [16, 33]), wanted)
            expect(apart, kernels.engine).to.be.at.most(precision === 'f64' ? 1e-12 : 3e-6)
          }
        }),
        { numRuns: 150 },
      )
    })

    it(`keeps |T| ≤ 1 whatever it is given, ${precision}`, () => {
      const any = fc.oneof(fc.double(), invalid, fc.constantFrom(0, -0, 5e-324, 1e15, 1.7e308))
      fc.assert(
        fc.property(cases(any), (some) => {
          for (const kernels of engines) {
            const t = tAfter(kernels, precision, some, [3])
            const { streams } = some.params
            for (let stream = 0; stream < streams; stream++) {
              expect(Math.hypot(t[stream]!, t[streams + stream]!)).to.be.at.most(1 + 4e-16)
            }
          }
        }),
        { numRuns: 150 },
      )
    })
  }

  it('holds T at 1 under a coherent input, for as long as it lasts', () => {
    for (const kernels of engines) {
      for (const precision of ['f64', 'f32'] as const) {
        const bank = kernels.leakyBank({ streams: 9, maxSteps: 1000, omega: 0, step: 0.01, tau: 1e-3 }, precision)
        const [re, im] = [new Float64Array(9), new Float64Array(9)]
        for (let call = 0; call < 5; call++) {
          bank.advance(997 + (call % 2))
          bank.read(re, im)
          for (const part of re) expect(part).to.be.within(1 - 1e-6, 1)
        }
        bank.free()
      }
    }
  })

  it('lets T decay over phases that are not finite, as over lost samples', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const kernels of engines) {
        const bank = kernels.leakyBank({ streams: 3, maxSteps: 100, omega: 0, step: 0.01, tau: 0.1 })
        const [re, im] = [new Float64Array(3), new Float64Array(3)]
        bank.advance(100)
        bank.phases.fill(bad)
        bank.advance(10)
        bank.read(re, im)
        const wanted = (1 - Math.exp(-10)) * Math.exp(-1)
        expect(farthest([...re, ...im], [wanted, wanted, wanted, 0, 0, 0])).to.be.at.most(1e-14)
        bank.free()
      }
    }
  })

  it('gives the same on every engine for phases far beyond a turn, in every form', () => {
    for (const form of ['ref', 'auto', 'cyclic'] as const) {
      const lag = form === 'ref' ? {} : { lag: 3 }
      const params = { form, streams: 9, maxSteps: 80, omega: 2, step: 0.01, tau: 0.3, ...lag }
      const phases = Array.from({ length: 9 * 60 }, (_, k) => 1e9 + 0.37 * k * k)
      const [simd, plain, typescript] = engines.map((kernels) =>
        tAfter(kernels, 'f64', { params, phases, rows: 60 }, []),
      )
      expect(bitsOf(plain!)).to.deep.equal(bitsOf(simd!))
      expect(farthest(simd!, typescript!), form).to.be.at.most(1e-12)
    }
  })
})
