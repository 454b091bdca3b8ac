import { expect } from 'chai'
import type { CoherenceKernels, Floats, KernelArray } from '../../../wasm/index.ts'
import { KernelError, loadCoherence } from '../../../wasm/index.ts'
import { ENGINES, farthest, outcome } from './engines.ts'
import { limitedTo, patched, withModules } from './patched.ts'

/** More than wasm's memory has room for at first, so that it must grow. */
const LARGE = 1 << 19

describe('wasm coherence: memory', () => {
  for (const engine of ENGINES) {
    it(`arrays and banks keep their values when memory grows under them (${engine})`, async () => {
      const kernels = await loadCoherence({ engine })
      const [a, b, c] = [kernels.f64(9), kernels.f64(9), kernels.f64(9)]
      const [old, none] = [a.values, kernels.f64(0)]
      a.values.set([0, 1, 2, 3, 4, 5, 6, 7, 8])
      const leaky = kernels.leakyBank({ form: 'auto', lag: 2, streams: 2, maxSteps: 9, omega: 1, step: 0.1, tau: 1 })
      leaky.phases.fill(0.5)
      leaky.advance(5)
      const goertzel = kernels.goertzelBank({ angles: [0.3], maxValues: 9 })
      goertzel.values.set(a.values)
      const before = stateOf(leaky)
      const large = kernels.f64(LARGE)
      if (engine !== 'typescript') expect(old, 'memory grew').to.have.length(0)
      expect([...a.values]).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8])
      expect(none.values).to.have.length(0)
      expect(stateOf(leaky)).to.deep.equal(before)
      expect([leaky.phases[0], goertzel.values[8]]).to.deep.equal([0.5, 8])
      kernels.phasors(a, b, c)
      expect(farthest(b.values, a.values.map(Math.cos))).to.be.at.most(1e-12)
      leaky.advance(3)
      expect(leaky.count).to.equal(8)
      goertzel.transform(9)
      expect(goertzel.re[0]).to.be.finite.and.not.equal(0)
      large.free()
      expect(kernels.faults).to.equal(0)
    })

    it(`what is freed is used again (${engine})`, async () => {
      const kernels = await loadCoherence({ engine })
      const sizes: number[] = []
      for (let n = 0; n < 50; n++) {
        const large = kernels.f64(LARGE)
        sizes.push(large.values.buffer.byteLength)
        expect([large.values[0], large.values[LARGE - 1]]).to.deep.equal([0, 0])
        large.values.fill(7)
        large.free()
      }
      expect(new Set(sizes)).to.have.property('size', 1)
    })
  }

  for (const engine of ['simd', 'plain'] as const) {
    describe(`that is full (${engine})`, () => {
      let module: Uint8Array
      let kernels: CoherenceKernels
      let small: KernelArray<Float64Array>[]
      let held: KernelArray<Floats>[]
      before(() => (module = patched(engine, limitedTo(24))))
      beforeEach(async () => {
        kernels = await withModules({ [engine]: module }, (modules) => loadCoherence({ engine, modules }))
        small = [1, 2, 3].map(() => kernels.f64(9))
        held = []
        // Down to single values, until nothing of any size is left.
        for (let length = 1 << 16; length >= 1; length >>= 1) while (take(length)) continue
      })
      afterEach(() => expect([kernels.engine, kernels.faults], 'no trap').to.deep.equal([engine, 0]))

      function take(length: number): boolean {
        const array = outcome(() => kernels.f64(length))
        if (array === 'E_KERNEL_MEMORY' || kernels.faults > 0) return false
        held.push(array as KernelArray<Floats>)
        return true
      }

      const refuses = (work: () => unknown) =>
        expect(work).to.throw(KernelError).with.property('code', 'E_KERNEL_MEMORY')

      it('arrays and banks are refused, whatever their size', () => {
        for (const length of [1 << 10, 1 << 20, 1 << 27]) {
          for (const kind of ['f64', 'f32', 'i32'] as const) refuses(() => kernels[kind](length))
        }
        for (const precision of ['f64', 'f32'] as const) {
          const params = { streams: 100, maxSteps: 100, omega: 1, step: 1, tau: 1 }
          refuses(() => kernels.leakyBank(params, precision))
          refuses(() => kernels.leakyBank({ ...params, maxSteps: 1, form: 'auto', lag: 100 }, precision))
          refuses(() => kernels.goertzelBank({ angles: new Float64Array(60_000), maxValues: 1 }, precision))
          refuses(() => kernels.goertzelBank({ angles: [1], maxValues: 100_000 }, precision))
        }
      })

      it('kernels that need none work on, those that need some are refused', () => {
        const [a, b, c] = small as [KernelArray<Float64Array>, KernelArray<Float64Array>, KernelArray<Float64Array>]
        a.values.set([0, 1, 2, 3, 4, 5, 6, 7, 8])
        kernels.phasors(a, b, c)
        expect(farthest(b.values, a.values.map(Math.cos))).to.be.at.most(1e-12)
        refuses(() => kernels.phaseLockingMatrix(a, 3, 3, b))
      })

      it('what is freed can be had again', () => {
        for (const array of held) array.free()
        const [a, b] = [kernels.f64(9), kernels.f64(9)]
        a.values.fill(1)
        kernels.phaseLockingMatrix(a, 3, 3, b)
        expect(farthest(b.values, new Float64Array(9).fill(1))).to.be.at.most(1e-12)
        kernels.goertzelBank({ angles: [1, 2], maxValues: 1000 }).free()
        kernels.leakyBank({ streams: 100, maxSteps: 100, omega: 1, step: 1, tau: 1 }).free()
      })
    })
  }
})

function stateOf(bank: ReturnType<CoherenceKernels['leakyBank']>): number[] {
  const [re, im] = [new Float64Array(2), new Float64Array(2)]
  bank.read(re, im)
  return [...re, ...im]
}
