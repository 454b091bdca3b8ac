import { expect } from 'chai'
import type {
  CoherenceKernels,
  GoertzelBankParams,
  KernelArray,
  LeakyBankParams,
  ReportArrays,
} from '../../../wasm/index.ts'
import { KernelError, loadCoherence } from '../../../wasm/index.ts'
import { ENGINES } from './engines.ts'

const LENGTHS = [-1, 0.5, 9, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53]

type F64 = KernelArray<Float64Array>
type I32 = KernelArray<Int32Array>

/** Eight values of each width, and what takes them. */
function arraysOf(kernels: CoherenceKernels) {
  const f64 = (): F64 => kernels.f64(8)
  const i32 = (): I32 => kernels.i32(8)
  return {
    a: f64(),
    b: f64(),
    c: f64(),
    p: kernels.f32(8),
    q: kernels.f32(8),
    r: kernels.f32(8),
    x: i32(),
    y: i32(),
    z: i32(),
  }
}

type Arrays = ReturnType<typeof arraysOf>
type Call = (kernels: CoherenceKernels, arrays: Arrays, length?: number) => unknown

const reportsOf = ({ a, x, y }: Arrays): ReportArrays => ({ weights: a, re: x, im: y })

const CALLS: Record<string, Call> = {
  'phasors f64': (kernels, { a, b, c }, length) => kernels.phasors(a, b, c, length),
  'phasors f32': (kernels, { p, q, r }, length) => kernels.phasors(p, q, r, length),
  'phaseLocking f64': (kernels, { a, b }, length) => kernels.phaseLocking(a, b, length),
  'phaseLocking f32': (kernels, { p, q }, length) => kernels.phaseLocking(p, q, length),
  'phaseLockingMatrix f64': (kernels, { a, b }, length = 4) => kernels.phaseLockingMatrix(a, 2, length, b),
  'phaseLockingMatrix f32': (kernels, { p, a }, length = 4) => kernels.phaseLockingMatrix(p, 2, length, a),
  quantise: (kernels, { a, x }, length) => kernels.quantise(a, x, length),
  weightedSum: (kernels, arrays, length) => kernels.weightedSum(reportsOf(arrays), length),
  geometricMedian: (kernels, arrays, length) => kernels.geometricMedian(reportsOf(arrays), length),
  agreement: (kernels, arrays, length) => kernels.agreement(reportsOf(arrays), 5, arrays.z, length),
  synthesisePhases: (kernels, { a }, length) => kernels.synthesisePhases(1, 2, a, length),
  'synthesiseTone f64': (kernels, { a }, length) => kernels.synthesiseTone(1, 2, a, length),
  'synthesiseTone f32': (kernels, { p }, length) => kernels.synthesiseTone(1, 2, p, length),
  breathing: (kernels, { a, b }, length) => kernels.breathing(a, b, length),
  harmonicResonance: (kernels, { a, b }, length) => kernels.harmonicResonance(a, b, length),
  fieldCoherence: (kernels, { a }, length) => kernels.fieldCoherence(a, length),
  goldenLattice: (kernels, { a, b }, length) => kernels.goldenLattice(a, b, length),
}

function refuses(code: string, work: () => unknown, what = code): void {
  expect(work, what).to.throw(KernelError).with.property('code', code)
}

for (const engine of ENGINES) {
  describe(`wasm coherence: what is refused at the boundary (${engine})`, () => {
    let kernels: CoherenceKernels
    let arrays: Arrays

    before(async () => {
      kernels = await loadCoherence({ engine })
      arrays = arraysOf(kernels)
    })
    after(() => {
      expect([kernels.engine, kernels.faults], 'no refusal was a fault').to.deep.equal([engine, 0])
      for (const [name, call] of Object.entries(CALLS)) expect(keysUsed(call, kernels), name).not.to.be.empty
    })

    it('lengths that are negative, fractional, no numbers or beyond the array', () => {
      for (const [name, call] of Object.entries(CALLS)) {
        for (const length of LENGTHS)
          refuses('E_KERNEL_LENGTH', () => call(kernels, arrays, length), `${name} ${length}`)
      }
    })

    it('arrays that were freed', () => {
      for (const [name, call] of Object.entries(CALLS)) {
        for (const key of keysUsed(call, kernels)) {
          const fresh = arraysOf(kernels)
          fresh[key].free()
          fresh[key].free()
          refuses('E_KERNEL_ARRAY', () => fresh[key].values, `${name} ${key}`)
          refuses('E_KERNEL_ARRAY', () => call(kernels, fresh), `${name} ${key}`)
          for (const array of Object.values(fresh)) array.free()
        }
      }
    })

    it('arrays of other kernels, also of the same engine', async () => {
      const other = arraysOf(await loadCoherence({ engine }))
      for (const [name, call] of Object.entries(CALLS)) {
        for (const key of keysUsed(call, kernels)) {
          refuses('E_KERNEL_ARRAY', () => call(kernels, { ...arrays, [key]: other[key] }), `${name} ${key}`)
        }
      }
    })

    it('arrays of another width, and what is no array of kernels', () => {
      const others = { a: arrays.p, p: arrays.x, x: arrays.a } as const
      const strangers = [new Float64Array(8), { values: new Float64Array(8), length: 8, free() {} }]
      for (const [name, call] of Object.entries(CALLS)) {
        for (const key of keysUsed(call, kernels)) {
          const width = 'abc'.includes(key) ? 'a' : 'pqr'.includes(key) ? 'p' : 'x'
          // A kernel of both widths takes the width of its first array, and refuses the second.
          if (name.startsWith('synthesiseTone')) continue
          const one = name.startsWith('phaseLockingMatrix') && key === keysUsed(call, kernels)[0]
          for (const bad of one ? strangers : [others[width], ...strangers]) {
            refuses('E_KERNEL_ARRAY', () => call(kernels, { ...arrays, [key]: bad as never }), `${name} ${key}`)
          }
        }
      }
      refuses('E_KERNEL_ARRAY', () => kernels.synthesiseTone(1, 2, arrays.x as never))
    })

    it('the same array twice, where both are read or written', () => {
      const { a, b, p, q, x, y, z } = arrays
      refuses('E_KERNEL_ARRAY', () => kernels.phasors(a, a, b))
      refuses('E_KERNEL_ARRAY', () => kernels.phasors(a, b, b))
      refuses('E_KERNEL_ARRAY', () => kernels.phasors(p, q, p))
      refuses('E_KERNEL_ARRAY', () => kernels.phaseLocking(a, a))
      refuses('E_KERNEL_ARRAY', () => kernels.phaseLockingMatrix(a, 2, 4, a))
      refuses('E_KERNEL_ARRAY', () => kernels.weightedSum({ weights: a, re: x, im: x }))
      refuses('E_KERNEL_ARRAY', () => kernels.agreement({ weights: a, re: x, im: y }, 1, y))
      refuses('E_KERNEL_ARRAY', () => kernels.agreement({ weights: a, re: z, im: y }, 1, z))
      refuses('E_KERNEL_ARRAY', () => kernels.breathing(a, a))
      refuses('E_KERNEL_ARRAY', () => kernels.goldenLattice(b, b))
    })

    it('numbers of values that no array has', () => {
      for (const kind of ['f64', 'f32', 'i32'] as const) {
        for (const bad of [-1, 0.5, NaN, Infinity]) refuses('E_KERNEL_RANGE', () => kernels[kind](bad))
        for (const bad of [2 ** 27 + 1, 2 ** 31, 2 ** 32, 2 ** 53]) refuses('E_KERNEL_MEMORY', () => kernels[kind](bad))
        const none = kernels[kind](0)
        expect(none.values).to.have.length(0)
        none.free()
      }
    })

    it('parameters outside their range', () => {
      const { a, b, x, y, z } = arrays
      for (const channels of [0, -1, 1.5, NaN, 4097, 2 ** 32 + 1]) {
        refuses('E_KERNEL_RANGE', () => kernels.phaseLockingMatrix(a, channels, 1, b), `${channels} channels`)
      }
      refuses('E_KERNEL_LENGTH', () => kernels.phaseLockingMatrix(a, 3, 1, b))
      for (const threshold of [-1, 0.5, NaN, 2 ** 30 + 1, 2 ** 32]) {
        refuses('E_KERNEL_RANGE', () => kernels.agreement({ weights: a, re: x, im: y }, threshold, z), `${threshold}`)
      }
      for (const word of [-1, 0.5, NaN, Infinity, 2 ** 32]) {
        refuses('E_KERNEL_RANGE', () => kernels.synthesisePhases(word, 0, a), `step ${word}`)
        refuses('E_KERNEL_RANGE', () => kernels.synthesisePhases(0, word, a), `start ${word}`)
        refuses('E_KERNEL_RANGE', () => kernels.synthesiseTone(word, 0, a), `step ${word}`)
        refuses('E_KERNEL_RANGE', () => kernels.synthesiseTone(0, word, a), `start ${word}`)
      }
    })

    it('leaky banks that cannot be', () => {
      const params: LeakyBankParams = { streams: 3, maxSteps: 5, omega: 2, step: 0.1, tau: 1 }
      const absurd: Partial<Record<keyof LeakyBankParams, unknown>>[] = [
        ...[0, -1, 1.5, NaN, 2 ** 20 + 1, 2 ** 31, 2 ** 32 + 1].map((streams) => ({ streams })),
        ...[0, -1, 1.5, NaN, 2 ** 31 + 1, 2 ** 32 + 1].map((maxSteps) => ({ maxSteps })),
        ...[NaN, Infinity, -Infinity].map((omega) => ({ omega })),
        ...[0, -1, NaN, Infinity].flatMap((seconds) => [{ step: seconds }, { tau: seconds }]),
        { lag: 3 },
        { form: 'ref', lag: 1 },
        { form: 'auto' },
        { form: 'cyclic', lag: 0 },
        ...[-1, 0.5, NaN, 2 ** 31 + 1].map((lag) => ({ form: 'auto', lag })),
        ...['', 'REF', 'toString', 1].map((form) => ({ form, lag: 1 })),
      ]
      for (const bad of absurd) {
        const wrong = { ...params, ...bad } as LeakyBankParams
        for (const precision of ['f64', 'f32'] as const) {
          refuses('E_KERNEL_RANGE', () => kernels.leakyBank(wrong, precision), JSON.stringify(bad))
        }
      }
      refuses('E_KERNEL_MEMORY', () => kernels.leakyBank({ ...params, maxSteps: 2 ** 31 }))
      refuses('E_KERNEL_MEMORY', () => kernels.leakyBank({ ...params, form: 'auto', lag: 2 ** 31 }))
      refuses('E_KERNEL_MEMORY', () => kernels.leakyBank({ ...params, streams: 2 ** 20, maxSteps: 129 }))
    })

    it('what a leaky bank cannot do', () => {
      const bank = kernels.leakyBank({ streams: 3, maxSteps: 5, omega: 2, step: 0.1, tau: 1 })
      for (const steps of [-1, 0.5, NaN, 6, 2 ** 32 + 1])
        refuses('E_KERNEL_LENGTH', () => bank.advance(steps), `${steps}`)
      const [three, two] = [new Float64Array(3), new Float64Array(2)]
      refuses('E_KERNEL_LENGTH', () => bank.read(three, two))
      refuses('E_KERNEL_LENGTH', () => bank.read(two, three))
      refuses('E_KERNEL_ARRAY', () => bank.read(three, three))
      expect(bank.count).to.equal(0)
      bank.free()
      bank.free()
      refuses('E_KERNEL_ARRAY', () => bank.phases)
      refuses('E_KERNEL_ARRAY', () => bank.advance(1))
      refuses('E_KERNEL_ARRAY', () => bank.read(three, new Float64Array(3)))
    })

    it('Goertzel banks that cannot be, and what they cannot do', () => {
      const angles = [0.1, 0.2]
      const absurd: GoertzelBankParams[] = [
        ...[[], [NaN], [0.1, Infinity], new Float64Array(2 ** 16 + 1)].map((angles) => ({ angles, maxValues: 5 })),
        ...[0, -1, 0.5, NaN, Infinity].map((maxValues) => ({ angles, maxValues })),
      ]
      for (const params of absurd) {
        for (const precision of ['f64', 'f32'] as const) {
          refuses('E_KERNEL_RANGE', () => kernels.goertzelBank(params, precision), JSON.stringify(params.maxValues))
        }
      }
      for (const maxValues of [2 ** 27 + 1, 2 ** 31, 2 ** 32 + 1]) {
        refuses('E_KERNEL_MEMORY', () => kernels.goertzelBank({ angles, maxValues }))
      }
      const bank = kernels.goertzelBank({ angles, maxValues: 5 })
      for (const length of [-1, 0.5, NaN, 6, 2 ** 32 + 1]) refuses('E_KERNEL_LENGTH', () => bank.transform(length))
      bank.free()
      bank.free()
      for (const read of [() => bank.values, () => bank.re, () => bank.im, () => bank.transform(1)]) {
        refuses('E_KERNEL_ARRAY', read)
      }
    })

    it('a bank does not follow parameters that the caller changes afterwards', () => {
      const params = { streams: 2, maxSteps: 5, omega: 0, step: 0.1, tau: 1 }
      const angles = [0.5]
      const [leaky, goertzel] = [kernels.leakyBank(params), kernels.goertzelBank({ angles, maxValues: 4 })]
      params.streams = 1000
      angles[0] = NaN
      leaky.advance(5)
      const [re, im] = [new Float64Array(2), new Float64Array(2)]
      leaky.read(re, im)
      for (const part of re) expect(part).to.be.closeTo(1 - Math.exp(-0.5), 1e-15)
      goertzel.values.set([1, 2, 3, 4])
      goertzel.transform(4)
      expect(goertzel.re[0]).to.be.finite
      leaky.free()
      goertzel.free()
    })
  })
}

/** Calls with fresh zeros, which no kernel refuses. @returns the arrays that it took, in its order */
function keysUsed(call: Call, kernels: CoherenceKernels): (keyof Arrays)[] {
  const used = new Set<keyof Arrays>()
  const arrays = arraysOf(kernels)
  const seen = new Proxy(arrays, {
    get: (target, key) => {
      used.add(key as keyof Arrays)
      return target[key as keyof Arrays]
    },
  })
  call(kernels, seen)
  for (const array of Object.values(arrays)) array.free()
  return [...used]
}
