import { expect } from 'chai'
import {
  breathAt,
  fieldCoherence,
  GOLDEN_ANGLE,
  goldenLattice,
  harmonicResonance,
  phaseStep,
  synthesise,
} from '../../../node/coherence/index.ts'

describe('coherence: small kernels', () => {
  it('field coherence is 1/(1 + population variance), and depends on scale', () => {
    expect(fieldCoherence([1, 3])).to.equal(0.5)
    expect(fieldCoherence([10, 30])).to.be.closeTo(1 / 101, 1e-15)
    expect([fieldCoherence([]), fieldCoherence([7])]).to.deep.equal([1, 1])
  })

  it('harmonic resonance is 1 on each of the seven and ½ one hertz beside', () => {
    expect([396, 417, 528, 639, 741, 852, 963].map(harmonicResonance)).to.deep.equal([1, 1, 1, 1, 1, 1, 1])
    expect(harmonicResonance(529)).to.equal(0.5)
    expect(harmonicResonance(0)).to.be.closeTo(1 / 397, 1e-15)
  })

  it('a breath is 4 s in and 6 s out, continuous, also before time 0', () => {
    expect(breathAt(2)).to.include({ phase: 'in', progress: 0.5 })
    expect(breathAt(7)).to.include({ phase: 'out', progress: 0.5 })
    expect(breathAt(-3)).to.deep.equal(breathAt(7))
    expect([breathAt(10).depth, breathAt(4).depth]).to.deep.equal([0, 1])
    expect(breathAt(9.999).depth).to.be.lessThan(1e-4)
  })

  it('the phase accumulator wraps without drift', () => {
    const step = phaseStep(440, 48_000)
    expect(step).to.equal(Math.round((440 * 2 ** 32) / 48_000))
    const phases = synthesise(step, 100_000)
    const last = (((step * 99_999) % 2 ** 32) / 2 ** 32) * 2 * Math.PI
    expect(phases[99_999]).to.be.closeTo(last, 1e-12)
    expect(Math.max(...phases)).to.be.lessThan(2 * Math.PI)
    expect(phaseStep(24_000, 48_000)).to.equal(2 ** 31)
    for (const bad of [-1, 24_001, NaN]) expect(() => phaseStep(bad, 48_000)).to.throw(RangeError)
  })

  it('the golden lattice turns by 2π(1-1/φ) and grows by √k', () => {
    expect(GOLDEN_ANGLE).to.be.closeTo(2 * Math.PI * (1 - 2 / (1 + Math.sqrt(5))), 1e-15)
    const [origin, first, , , fourth] = goldenLattice(5)
    expect(origin).to.include({ radius: 0, x: 0, y: 0 })
    expect(first!.angle).to.equal(GOLDEN_ANGLE)
    expect(fourth!.radius).to.equal(2)
    expect(Math.hypot(fourth!.x, fourth!.y)).to.be.closeTo(2, 1e-12)
  })
})
