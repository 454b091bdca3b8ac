import { expect } from 'chai'
import * as fc from 'fast-check'
import type { CoherenceKernels, Floats, GoertzelBankParams, Precision } from '../../../wasm/index.ts'
import { bitsOf, farthest, loadAll, withArrays } from '../../unit/wasm/engines.ts'

const TAU = 2 * Math.PI
const strange = fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 5e-324, -1e6, 1e6, 1e6 + 1e-9, 1e15, -1e15, 1.7e308)
const phase = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -TAU, max: TAU, noNaN: true }) },
  { weight: 3, arbitrary: fc.double({ min: -1e15, max: 1e15, noNaN: true }) },
  { weight: 2, arbitrary: strange },
)
/** Within ±2π, where the bounds of floats hold, with some that are not finite. */
const small = fc.oneof(
  { weight: 12, arbitrary: fc.float({ min: Math.fround(-6.28), max: Math.fround(6.28), noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
)
const phasesOf = (precision: Precision, maxLength = 70) =>
  fc.array(precision === 'f64' ? phase : small, { maxLength, size: 'max' })
const BOUND = { f64: 1e-12, f32: 2e-6 } as const

function phasors(kernels: CoherenceKernels, precision: Precision, phases: ArrayLike<number>): number[] {
  return withArrays(kernels, (arrayOf) => {
    const [from, re, im] = [phases, phases, phases].map((values) => arrayOf(precision, values))
    kernels.phasors(from!, re!, im!)
    return [...re!.values, ...im!.values]
  })
}

describe('wasm coherence: kernels with trigonometry', () => {
  let engines: CoherenceKernels[]
  before(async () => (engines = await loadAll()))
  after(() => expect(engines.map(({ faults }) => faults)).to.deep.equal([0, 0, 0]))

  /** simd and plain have the same bits; the twin is within the bound. */
  const near = (work: (kernels: CoherenceKernels) => ArrayLike<number>, bound: number) => {
    const [simd, plain, typescript] = engines.map(work)
    expect(bitsOf(plain!)).to.deep.equal(bitsOf(simd!))
    expect(farthest(simd!, typescript!)).to.be.at.most(bound)
    return simd!
  }

  for (const precision of ['f64', 'f32'] as const) {
    it(`phasors of any phases, ${precision}`, () => {
      fc.assert(
        fc.property(phasesOf(precision), (phases) => {
          near((kernels) => phasors(kernels, precision, phases), BOUND[precision])
        }),
        { numRuns: 300 },
      )
    })

    it(`phasors have the same bits however the phases are cut, ${precision}`, () => {
      const phases = precision === 'f64' ? phasesOf('f64') : fc.array(fc.float(), { maxLength: 70, size: 'max' })
      fc.assert(
        fc.property(phases, fc.nat(70), (phases, cut) => {
          for (const kernels of engines) {
            const [head, tail] = [phases.slice(0, cut), phases.slice(cut)].map((part) =>
              phasors(kernels, precision, part),
            )
            const whole = phasors(kernels, precision, phases)
            const [cosines, sines] = [0, 1].map((part) =>
              [head!, tail!].flatMap((row) => row.slice((part * row.length) / 2, ((part + 1) * row.length) / 2)),
            )
            expect(bitsOf([...cosines!, ...sines!]), kernels.engine).to.deep.equal(bitsOf(whole))
          }
        }),
        { numRuns: 300 },
      )
    })

    it(`phase locking of two series, ${precision}`, () => {
      fc.assert(
        fc.property(phasesOf(precision), phasesOf(precision), (a, b) => {
          const length = Math.min(a.length, b.length)
          const [value] = near(
            (kernels) =>
              withArrays(kernels, (arrayOf) => [
                kernels.phaseLocking(arrayOf(precision, a), arrayOf(precision, b), length),
              ]),
            BOUND[precision],
          ) as [number]
          expect(value).to.be.within(0, 1)
        }),
        { numRuns: 300 },
      )
    })

    it(`phase locking of long series, where sums go on in stretches, ${precision}`, () => {
      for (const length of [255, 256, 257, 511, 512, 513, 1025, 20_001]) {
        const series = [1, 1.01].map((rate) => Float64Array.from({ length }, (_, k) => (rate * k) % TAU))
        const [value] = near(
          (kernels) =>
            withArrays(kernels, (arrayOf) => [
              kernels.phaseLocking(arrayOf(precision, series[0]!), arrayOf(precision, series[1]!)),
            ]),
          BOUND[precision],
        ) as [number]
        expect(value).to.be.within(0, 1)
      }
    })

    it(`the matrix is symmetric, its diagonal the share of finite samples, ${precision}`, () => {
      const size = fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 9), fc.constantFrom(0, 1, 3, 255, 256, 257, 300), fc.nat())
      fc.assert(
        fc.property(size, phasesOf(precision, 40), ([channels, length, seed], some) => {
          const phases = Float64Array.from({ length: channels * length }, (_, k) =>
            (k + seed) % 7 === 0 && some.length > 0 ? some[k % some.length]! : ((k * k + seed) % 1000) / 160,
          )
          const stored = precision === 'f64' ? phases : Float32Array.from(phases)
          const values = near(
            (kernels) =>
              withArrays(kernels, (arrayOf) => {
                const to = arrayOf('f64', new Float64Array(channels ** 2).fill(7))
                kernels.phaseLockingMatrix(arrayOf(precision, stored), channels, length, to)
                return [...to.values]
              }),
            BOUND[precision],
          )
          for (let a = 0; a < channels; a++) {
            const finite = stored.subarray(a * length, (a + 1) * length).filter(Number.isFinite).length
            expect(values[a * channels + a]).to.be.closeTo(finite / Math.max(1, length), BOUND[precision])
            for (let b = 0; b < a; b++) expect(values[a * channels + b]).to.equal(values[b * channels + a])
          }
        }),
        { numRuns: 60 },
      )
    })

    it(`Goertzel of many frequencies and every length, ${precision}`, () => {
      const lengths = [0, 1, 2, 15, 16, 17, 31, 100, 1023, 1024, 1025, 2049, 5000]
      for (const count of [1, 2, 7, 8, 9, 16, 17, 33]) {
        const angles = Array.from({ length: count }, (_, f) => (f % 3 === 0 ? 1e-4 : 0.09) * (f + 1) - 0.3)
        const banks = engines.map((kernels) => kernels.goertzelBank({ angles, maxValues: 5000 }, precision))
        const block = Float32Array.from({ length: 5000 }, (_, j) => Math.cos(0.6 * j + 1) + 0.4 * Math.sin(j * j) + 3)
        for (const bank of banks) bank.values.set(block)
        for (const length of lengths) {
          for (const bank of banks) bank.transform(length)
          const [simd, plain, typescript] = banks.map(({ re, im }) => [...re, ...im])
          expect(bitsOf(plain!)).to.deep.equal(bitsOf(simd!))
          const bound = precision === 'f64' ? 1e-12 : 1e-5 * deviation(block.subarray(0, length))
          expect(farthest(simd!, typescript!), `${count} at ${length}`).to.be.at.most(bound)
        }
        for (const bank of banks) bank.free()
      }
    })

    it(`a tone has the same bits however it is cut, and is a cosine, ${precision}`, () => {
      const word = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1))
      fc.assert(
        fc.property(word, word, fc.nat(40), fc.nat(40), (step, start, length, cut) => {
          const values = near(
            (kernels) =>
              withArrays(kernels, (arrayOf) => {
                const at = Math.min(length, cut)
                const [head, tail, whole] = [at, length - at, length].map((n) =>
                  arrayOf(precision, new Float64Array(n)),
                )
                const end = kernels.synthesiseTone(step, kernels.synthesiseTone(step, start, head!), tail!)
                expect(kernels.synthesiseTone(step, start, whole!)).to.equal(end)
                expect(end).to.equal(Number((BigInt(start) + BigInt(step) * BigInt(length)) % 2n ** 32n))
                expect(bitsOf([...head!.values, ...tail!.values])).to.deep.equal(bitsOf(whole!.values))
                return [...whole!.values]
              }),
            BOUND[precision],
          )
          if (length > 0) expect(values[0]).to.be.closeTo(Math.cos((start / 2 ** 32) * TAU), BOUND[precision])
        }),
      )
    })
  }

  it('floats of phases beyond ±2π stay within 1e-6 and 2^-23 of the phase', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 40, size: 'max' }), (phases) => {
        const [simd, plain] = engines.map((kernels) => phasors(kernels, 'f32', phases))
        expect(bitsOf(plain!)).to.deep.equal(bitsOf(simd!))
        for (const [k, phase] of phases.entries()) {
          const bound = 1e-6 + Math.abs(phase) * 2 ** -23
          const wanted = Number.isFinite(phase) ? [Math.cos(phase), Math.sin(phase)] : [0, 0]
          expect(farthest([simd![k]!, simd![phases.length + k]!], wanted)).to.be.at.most(bound)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('floats of tones right at a frequency stay within the bound of the Goertzel bank', () => {
    const angles = Array.from({ length: 64 }, (_, f) => (f + 0.37) * 0.0489)
    const [simd] = engines
    const bank = simd!.goertzelBank({ angles, maxValues: 4096 }, 'f32')
    for (const [f, angle] of angles.entries()) {
      for (const length of [16, 1000, 1024, 4096]) {
        const tone = Float32Array.from({ length }, (_, j) => Math.cos(angle * j + f))
        bank.values.set(tone)
        bank.transform(length)
        const [re, im] = coefficient(tone, angle)
        expect(Math.hypot(bank.re[f]! - re, bank.im[f]! - im)).to.be.at.most(1e-5 * deviation(tone))
      }
    }
    bank.free()
  })

  it('Goertzel of any values and angles', () => {
    const values = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 60 })
    const angles = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(values, angles, (values, angles) => {
        const found = near((kernels) => transform(kernels, { angles, maxValues: values.length }, values), 1e-12)
        const wanted = angles.map((angle) => coefficient(values, angle))
        expect(farthest(found, [...wanted.map(([re]) => re), ...wanted.map(([, im]) => im)])).to.be.at.most(1e-12)
      }),
    )
  })

  it('phases of synthesis have the same bits on every engine and however they are cut', () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 })
    fc.assert(
      fc.property(word, word, fc.nat(30), fc.nat(30), (step, start, head, tail) => {
        const rows = engines.map((kernels) =>
          withArrays(kernels, (arrayOf) => {
            const parts = [head, tail, head + tail].map((length) => arrayOf('f64', new Float64Array(length)))
            const end = kernels.synthesisePhases(step, kernels.synthesisePhases(step, start, parts[0]!), parts[1]!)
            expect(kernels.synthesisePhases(step, start, parts[2]!)).to.equal(end)
            expect([...parts[0]!.values, ...parts[1]!.values]).to.deep.equal([...parts[2]!.values])
            return [...parts[2]!.values]
          }),
        )
        for (const row of rows) expect(bitsOf(row)).to.deep.equal(bitsOf(rows[2]!))
        for (const phase of rows[0]!) expect(phase >= 0 && phase < TAU).to.equal(true)
      }),
    )
  })

  it('breathing in [0, 1], harmonics and field coherence of any values', () => {
    const any = fc.oneof(fc.double(), fc.double({ min: -1000, max: 1000, noNaN: true }), strange)
    fc.assert(
      fc.property(fc.array(any, { maxLength: 40 }), (values) => {
        const depths = near((kernels) => mapped(kernels, values, 'breathing'), 1e-12)
        const scores = near((kernels) => mapped(kernels, values, 'harmonicResonance'), 0)
        for (const value of [...Array.from(depths), ...Array.from(scores)]) expect(value).to.be.within(0, 1)
        near((kernels) => withArrays(kernels, (arrayOf) => [kernels.fieldCoherence(arrayOf('f64', values))]), 1e-12)
      }),
      { numRuns: 300 },
    )
    const breath = [0, 2, 4, 7, 10, -3, NaN, Infinity]
    const depths = near((kernels) => mapped(kernels, breath, 'breathing'), 1e-12)
    expect(farthest(depths, [0, 0.5, 1, 0.5, 0, 0.5, 0, 0])).to.be.at.most(1e-15)
    const harmonics = [396, 417, 528, 639, 741, 852, 963, 529, NaN]
    const scores = near((kernels) => mapped(kernels, harmonics, 'harmonicResonance'), 0)
    expect(scores).to.deep.equal([1, 1, 1, 1, 1, 1, 1, 0.5, 0])
  })

  it('the golden lattice turns by the golden angle and has radius √k', () => {
    for (const length of [0, 1, 255, 256, 257, 20_001]) {
      const points = near(
        (kernels) =>
          withArrays(kernels, (arrayOf) => {
            const [x, y] = [arrayOf('f64', new Float64Array(length)), arrayOf('f64', new Float64Array(length))]
            kernels.goldenLattice(x, y)
            return [...x.values, ...y.values]
          }),
        1e-12,
      )
      for (let k = 0; k < length; k += 17)
        expect(Math.hypot(points[k]!, points[length + k]!)).to.be.closeTo(Math.sqrt(k), 1e-12)
    }
  })
})

function mapped(kernels: CoherenceKernels, values: readonly number[], name: 'breathing' | 'harmonicResonance') {
  return withArrays(kernels, (arrayOf) => {
    const [from, to] = [arrayOf('f64', values), arrayOf('f64', values)]
    kernels[name](from, to)
    return [...to.values]
  })
}

function transform(kernels: CoherenceKernels, params: GoertzelBankParams, values: readonly number[]): number[] {
  const bank = kernels.goertzelBank(params)
  bank.values.set(values)
  bank.transform(values.length)
  const found = [...bank.re, ...bank.im]
  bank.free()
  return found
}

function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length
}

/** (2/M)·Σ (x_j - mean)·e^{-iωj}, term by term. */
function coefficient(values: ArrayLike<number>, angle: number): [re: number, im: number] {
  const mean = meanOf(values)
  const part = (turn: (angle: number) => number) =>
    Array.from(values).reduce((sum, value, j) => sum + (value - mean) * turn(angle * j), 0) * (2 / values.length)
  return [part(Math.cos), -part(Math.sin)]
}

function deviation(values: Floats): number {
  const mean = meanOf(values)
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value - mean)), 0)
}
