import { expect } from 'chai'
import {
  createTransducer,
  effectiveSamples,
  falseAlarm,
  keyedReference,
  mulberry32,
  step,
} from '../../../node/coherence/index.ts'
import { phaseSample, power, run, samplesOf } from '../../unit/coherence/signals.ts'

/** Part of `trials` independent leaky windows of pure noise that show |T|² ≥ c, for each c. */
function exceedances(nEff: number, thresholds: number[], trials: number): number[] {
  const decay = (nEff - 1) / (nEff + 1)
  const settle = Math.ceil(6 * nEff)
  const random = mulberry32(5)
  const counts = thresholds.map(() => 0)
  for (let trial = 0; trial < trials; trial++) {
    let [re, im] = [0, 0]
    for (let n = 0; n < settle; n++) {
      const angle = 2 * Math.PI * random()
      re = decay * re + (1 - decay) * Math.cos(angle)
      im = decay * im + (1 - decay) * Math.sin(angle)
    }
    for (const [k, c] of thresholds.entries()) if (re * re + im * im >= c) counts[k]! += 1
  }
  return counts.map((count) => count / trials)
}

describe('coherence P5, P9: noise and what is not noise', () => {
  it('P5 P(|T|² ≥ c) ≤ √(1+4πcN)·e^{-cN} on simulated noise, for the leaky window', () => {
    const thresholds = [0.1, 0.2, 0.3, 0.5, 0.7]
    for (const nEff of [3, 6, 10]) {
      for (const [k, rate] of exceedances(nEff, thresholds, 30_000).entries()) {
        expect(rate, `N ${nEff}, c ${thresholds[k]}`).to.be.at.most(falseAlarm(nEff, thresholds[k]!))
      }
    }
  })

  it('P5 plain Rayleigh e^{-cN} is not a bound', () => {
    const [rate] = exceedances(3, [0.3], 30_000)
    expect(rate).to.be.greaterThan(1.2 * Math.exp(-0.3 * 3))
  })

  it('P5 one in a million at c = .95 needs N_eff 18', () => {
    expect(falseAlarm(18)).to.be.lessThan(1e-6)
    expect(falseAlarm(17)).to.be.greaterThan(1e-6)
    expect([falseAlarm(0), falseAlarm(1e6)]).to.deep.equal([1, 0])
  })

  it('P5 a shipped-size window never collapses on two hundred thousand samples of noise', () => {
    const random = mulberry32(55)
    const window = { tau: 10 }
    let state = createTransducer({ omega: 2, step: 1, window })
    expect(state.nEff).to.be.closeTo(effectiveSamples(Math.exp(-0.1)), 1e-12)
    let greatest = 0
    for (let k = 0; k < 200_000; k++) {
      state = step(state, phaseSample(k, 2 * Math.PI * random()))
      expect(state.collapsed).to.equal(false)
      greatest = Math.max(greatest, power(state))
    }
    expect(greatest).to.be.within(0.3, 0.95)
  })

  describe('P9 what REF does not stop, and the keyed reference does', () => {
    const key = Buffer.alloc(32, 9)
    const honest = keyedReference(key, 'node')
    const config = { omega: 2, step: 0.01, window: { tau: 0.25 } } as const
    const keyed = () => createTransducer({ ...config, reference: honest })
    const tone = samplesOf((t) => 2 * t, 0.01, 2000)
    const replayed = samplesOf((t) => 2 * t + 0.1 * Math.sin(3 * t), 0.01, 2000)

    it('P9 a tone and a replay pass REF', () => {
      expect(run(createTransducer(config), tone).collapsed).to.equal(true)
      expect(run(createTransducer(config), replayed).collapsed).to.equal(true)
    })

    it('P9 neither passes a keyed reference: to them it is noise', () => {
      for (const signal of [tone, replayed, samplesOf(() => 0, 0.01, 2000)]) {
        let state = keyed()
        for (const sample of signal) {
          state = step(state, sample)
          expect(state.collapsed).to.equal(false)
        }
        expect(power(state)).to.be.lessThan(0.4)
      }
    })

    it('P9 a recording of the keyed signal fails when it is replayed later, or to another node', () => {
      const answer = (time: number) => {
        const y = honest(Math.round(time / 0.01))
        return 2 * time + Math.atan2(y.im, y.re)
      }
      const live = samplesOf(answer, 0.01, 2000)
      expect(run(keyed(), live).collapsed).to.equal(true)
      const late = live.map((sample) => ({ ...sample, time: sample.time + 20 }))
      expect(power(run(keyed(), late))).to.be.lessThan(0.4)
      const other = createTransducer({ ...config, reference: keyedReference(key, 'another') })
      expect(power(run(other, live))).to.be.lessThan(0.4)
    })
  })
})
