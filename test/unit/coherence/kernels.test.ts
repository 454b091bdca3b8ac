import { expect } from 'chai'
import { type CoherenceKernels, GOLDEN_ANGLE, KernelError, loadCoherence, phaseStep } from '../../../wasm/index.ts'

describe('coherence: small kernels', () => {
  let kernels: CoherenceKernels
  before(async () => (kernels = await loadCoherence()))

  function filled(values: readonly number[]) {
    const array = kernels.f64(values.length)
    array.values.set(values)
    return array
  }

  function each(kernel: 'breathing' | 'harmonicResonance', inputs: readonly number[]): number[] {
    const results = kernels.f64(inputs.length)
    kernels[kernel](filled(inputs), results)
    return [...results.values]
  }

  it('field coherence is 1/(1 + population variance), and depends on scale', () => {
    expect(kernels.fieldCoherence(filled([1, 3]))).to.equal(0.5)
    expect(kernels.fieldCoherence(filled([10, 30]))).to.be.closeTo(1 / 101, 1e-15)
    expect([kernels.fieldCoherence(filled([])), kernels.fieldCoherence(filled([7]))]).to.deep.equal([1, 1])
  })

  it('harmonic resonance is 1 on each of the seven and ½ one hertz beside', () => {
    expect(each('harmonicResonance', [396, 417, 528, 639, 741, 852, 963])).to.deep.equal([1, 1, 1, 1, 1, 1, 1])
    expect(each('harmonicResonance', [529, 397])).to.deep.equal([0.5, 0.5])
    expect(each('harmonicResonance', [0])[0]).to.be.closeTo(1 / 397, 1e-15)
  })

  it('a breath is 4 s in and 6 s out, continuous, also before time 0', () => {
    const [empty, half, full, out, before, late] = each('breathing', [10, 2, 4, 7, -3, 9.999])
    expect([empty, full]).to.deep.equal([0, 1])
    expect(half).to.be.closeTo(0.5, 1e-12)
    expect(out).to.be.closeTo(0.5, 1e-12)
    expect(before).to.equal(out)
    expect(late).to.be.lessThan(1e-4)
  })

  it('the phase accumulator wraps without drift', () => {
    const step = phaseStep(440, 48_000)
    expect(step).to.equal(Math.round((440 * 2 ** 32) / 48_000))
    const phases = kernels.f64(100_000)
    kernels.synthesisePhases(step, 0, phases)
    const last = (((step * 99_999) % 2 ** 32) / 2 ** 32) * 2 * Math.PI
    expect(phases.values[99_999]).to.be.closeTo(last, 1e-12)
    expect(Math.max(...phases.values)).to.be.lessThan(2 * Math.PI)
    expect(phaseStep(24_000, 48_000)).to.equal(2 ** 31)
    for (const bad of [-1, 24_001, NaN]) expect(() => phaseStep(bad, 48_000)).to.throw(KernelError)
  })

  it('the golden lattice turns by 2π(1-1/φ) and grows by √k', () => {
    expect(GOLDEN_ANGLE).to.be.closeTo(2 * Math.PI * (1 - 2 / (1 + Math.sqrt(5))), 1e-15)
    const [x, y] = [kernels.f64(5), kernels.f64(5)]
    kernels.goldenLattice(x, y)
    expect([x.values[0], y.values[0]]).to.deep.equal([0, 0])
    expect(Math.atan2(y.values[1]!, x.values[1]!)).to.be.closeTo(GOLDEN_ANGLE, 1e-12)
    expect(Math.hypot(x.values[4]!, y.values[4]!)).to.be.closeTo(2, 1e-12)
  })
})
