import { expect } from 'chai'
import * as fc from 'fast-check'
import type { CoherenceKernels, Floats, KernelArray, KernelFault, Precision } from '../../../wasm/index.ts'
import { loadCoherence } from '../../../wasm/index.ts'
import { farthest } from './engines.ts'
import { burning, patched, setFuel, trappingAfter, withModules } from './patched.ts'

const STREAMS = 11
const ROWS = 40
const phaseAt = (k: number) => (k % 29 === 7 ? NaN : ((k * k * 37) % 1000) / 90 - 5)

interface Loaded {
  readonly kernels: CoherenceKernels
  readonly faults: KernelFault[]
}

async function load(bytes: Uint8Array, engine: 'simd' | 'plain'): Promise<Loaded> {
  const faults: KernelFault[] = []
  const onFault = (fault: KernelFault) => faults.push(fault)
  const kernels = await withModules({ [engine]: bytes }, (modules) => loadCoherence({ engine, modules, onFault }))
  expect(kernels.engine).to.equal(engine)
  return { kernels, faults }
}

/** Everything that kernels do, one thing after the other; `step` is called before each. */
function exercise(kernels: CoherenceKernels, precision: Precision, step: (at: number) => void = () => {}): number[][] {
  const found: number[][] = []
  let at = 0
  const next = () => step(at++)
  const arrays: KernelArray<Floats | Int32Array>[] = []
  const make = <A extends Floats | Int32Array>(array: KernelArray<A>): KernelArray<A> => {
    arrays.push(array)
    next()
    return array
  }
  const [a, b, c] = [1, 2, 3].map(() => make(kernels[precision](100) as KernelArray<Floats>))
  for (let k = 0; k < 100; k++) a!.values[k] = phaseAt(k)
  const bank = kernels.leakyBank(
    { form: 'cyclic', lag: 7, streams: STREAMS, maxSteps: ROWS, omega: 2, step: 0.01, tau: 0.1 },
    precision,
  )
  next()
  const advance = (rows: number) => {
    for (let k = 0; k < rows * STREAMS; k++) bank.phases[k] = phaseAt(k + bank.count * STREAMS)
    bank.advance(rows)
    const [re, im] = [new Float64Array(STREAMS), new Float64Array(STREAMS)]
    bank.read(re, im)
    found.push([...re, ...im])
    next()
  }
  advance(21)
  kernels.phasors(a!, b!, c!)
  found.push([...b!.values, ...c!.values])
  next()
  advance(ROWS)
  found.push([kernels.phaseLocking(a!, c!)])
  next()
  const matrix = make(kernels.f64(16))
  kernels.phaseLockingMatrix(a!, 4, 25, matrix)
  found.push([...matrix.values])
  next()
  const goertzel = kernels.goertzelBank({ angles: [0.1, 0.5, 1], maxValues: 100 }, precision)
  goertzel.values.set(b!.values)
  next()
  goertzel.transform(100)
  found.push([...goertzel.re, ...goertzel.im])
  next()
  advance(3)
  const [weights, re, im, standing] = [
    make(kernels.f64(9)),
    make(kernels.i32(9)),
    make(kernels.i32(9)),
    make(kernels.i32(9)),
  ]
  weights.values.fill(3)
  const parts = make(kernels.f64(9))
  parts.values.set(a!.values.subarray(8, 17).map((phase) => Math.cos(phase)))
  kernels.quantise(parts, re)
  next()
  const { median, agreeingWeight } = kernels.agreement({ weights, re, im }, 2 ** 28, standing)
  found.push([...re.values, ...standing.values, median.re, median.im, agreeingWeight])
  next()
  found.push([kernels.synthesiseTone(12345678, 9, b!), ...b!.values])
  next()
  c!.free()
  next()
  advance(ROWS)
  found.push([...a!.values, ...parts.values, ...weights.values], [bank.count])
  goertzel.free()
  next()
  bank.free()
  for (const array of arrays) array.free()
  next()
  return found
}

for (const engine of ['simd', 'plain'] as const) {
  describe(`wasm coherence: traps (${engine})`, function () {
    let twin: CoherenceKernels
    let module: Uint8Array
    before(async () => {
      twin = await loadCoherence({ engine: 'typescript' })
      module = patched(engine, burning)
    })

    it('without a trap the patched module does what the twin does', async () => {
      const { kernels, faults } = await load(module, engine)
      for (const [at, found] of exercise(kernels, 'f64').entries()) {
        expect(farthest(found, exercise(twin, 'f64')[at]!)).to.be.at.most(1e-12)
      }
      expect([kernels.engine, faults.length]).to.deep.equal([engine, 0])
    })

    for (const precision of ['f64', 'f32'] as const) {
      it(`a trap anywhere is told and counted once, and nothing is lost by it, ${precision}`, async () => {
        const wanted = exercise(twin, precision)
        let steps = 0
        exercise(twin, precision, () => steps++)
        let trapped = 0
        const moment = fc.tuple(fc.nat(steps - 1), fc.oneof(fc.nat(20), fc.nat(600), fc.nat(5000)))
        const held = async ([from, fuel]: [number, number]) => {
          const { kernels, faults } = await load(module, engine)
          const probe = kernels.f64(1)
          const found = exercise(kernels, precision, (at) => {
            if (at === from && faults.length === 0) setFuel(probe.values, fuel + 1)
          })
          for (const [at, row] of found.entries()) {
            expect(farthest(row, wanted[at]!), `row ${at}`).to.be.at.most(precision === 'f64' ? 1e-12 : 1e-5)
          }
          // What is left must not trap when the garbage collector frees the kernels.
          setFuel(probe.values, 0)
          probe.free()
          trapped += faults.length
          expect(faults.length).to.equal(kernels.faults).and.to.be.at.most(1)
          expect(kernels.engine).to.equal(faults.length === 0 ? engine : 'typescript')
          if (faults.length === 1) expect(faults[0]).to.include({ kind: 'trap', engine })
          if (faults.length === 1) expect(String(faults[0]!.cause)).to.equal('RuntimeError: unreachable')
          // Afterwards all of it works as if nothing had happened.
          if (faults.length === 1) expect(exercise(kernels, precision)).to.deep.equal(wanted)
          expect(kernels.faults).to.equal(faults.length)
        }
        await fc.assert(fc.asyncProperty(moment, held), { numRuns: 60 })
        expect(trapped, 'most of the runs trapped').to.be.greaterThan(20)
      })
    }

    it('a trap after a row was taken in does not take it in twice', async () => {
      for (const name of ['leakybankf64_advance', 'leakybankf32_advance']) {
        const precision = name.includes('f64') ? 'f64' : 'f32'
        const { kernels, faults } = await load(patched(engine, trappingAfter(name)), engine)
        const banks = [kernels, twin].map((kernels) =>
          kernels.leakyBank({ streams: 2, maxSteps: 40, omega: 1, step: 0.1, tau: 1 }, precision),
        )
        for (const rows of [33, 7, 40]) {
          const [found, wanted] = banks.map((bank) => {
            for (let k = 0; k < rows * 2; k++) bank.phases[k] = phaseAt(k)
            bank.advance(rows)
            const [re, im] = [new Float64Array(2), new Float64Array(2)]
            bank.read(re, im)
            return [...re, ...im]
          })
          expect(found).to.deep.equal(wanted)
        }
        expect(faults.map(({ kind }) => kind)).to.deep.equal(['trap'])
        expect(banks[0]!.count).to.equal(80)
      }
    })

    it('refusals are no traps: the module goes on', async () => {
      const { kernels, faults } = await load(module, engine)
      const [values, quantised] = [kernels.f64(2), kernels.i32(2)]
      values.values.set([0.5, 2])
      expect(() => kernels.quantise(values, quantised))
        .to.throw()
        .with.property('code', 'E_QUANTISE_RANGE')
      expect([kernels.engine, faults.length, quantised.values[0]]).to.deep.equal([engine, 0, 2 ** 29])
    })
  })
}
