import { expect } from 'chai'
import * as fc from 'fast-check'
import {
  createTransducer,
  effectiveSamples,
  falseAlarm,
  keyedReference,
  latch,
  latchParams,
  phasorFromComplex,
  phasorFromPhase,
  step,
  tauOf,
  transducerParams,
} from '../../../node/coherence/index.ts'
import { lost, phaseSample, power, run, samplesOf } from './signals.ts'

const tone = (n: number, from = 0) => samplesOf((t) => 2 * t, 0.01, n, from)
const config = { omega: 2, step: 0.01, window: { tau: 0.25 } } as const

describe('coherence: phasors (§1)', () => {
  it('keeps the direction and drops the size', () => {
    const u = phasorFromComplex({ re: -3e150, im: 4e150 })
    expect(u.re).to.be.closeTo(-0.6, 1e-15)
    expect(u.im).to.be.closeTo(0.8, 1e-15)
  })

  it('is 0 at or under the noise gate and for values that are not finite', () => {
    expect(phasorFromComplex({ re: 0.3, im: 0.4 }, 0.5)).to.deep.equal({ re: 0, im: 0 })
    expect(phasorFromComplex({ re: Infinity, im: 1 })).to.deep.equal({ re: 0, im: 0 })
    expect(phasorFromComplex({ re: NaN, im: 1 })).to.deep.equal({ re: 0, im: 0 })
    expect(phasorFromComplex({ re: 5e-324, im: 5e-324 })).to.deep.equal({ re: 0, im: 0 })
    expect(phasorFromPhase(Infinity)).to.deep.equal({ re: 0, im: 0 })
  })
})

describe('coherence: windows (§5, §6)', () => {
  it('§5 tau is tau_max / 3.676138347 for the Master and the Emissary', () => {
    expect(3600 / tauOf(3600)).to.be.closeTo(3.676138347, 1e-9)
    expect(tauOf(3600)).to.be.closeTo(979.288, 1e-3)
    expect(tauOf(1)).to.be.closeTo(0.272025, 1e-6)
  })

  it('§6 N_eff is about 2 tau/h, times the relative bandwidth', () => {
    expect(effectiveSamples(Math.exp(-0.1))).to.be.closeTo(20.0167, 1e-4)
    expect(transducerParams({ ...config, relativeBandwidth: 0.5 }).nEff).to.be.closeTo(25.0, 0.01)
  })

  it('§6 refuses a window under 18 effective samples and says which value to change', () => {
    const emissary = { name: 'emissary', omega: 2, step: 0.1, window: { tauMax: 1 } }
    expect(() => createTransducer(emissary))
      .to.throw()
      .that.includes({ code: 'E_WINDOW_TOO_SHORT' })
    expect(() => createTransducer(emissary))
      .to.throw()
      .with.property('hint')
      .that.matches(/emissary tau_max to 3\.308/)
    const boxcar = { omega: 2, window: { samples: 17 } }
    expect(() => createTransducer(boxcar))
      .to.throw()
      .with.property('hint')
      .that.matches(/at least 18 samples/)
  })

  it('§6 the values named by the refusal are accepted', () => {
    expect(() => createTransducer({ omega: 2, step: 0.1, window: { tauMax: 3.308 } })).not.to.throw()
    expect(() => createTransducer({ omega: 2, step: 0.03, window: { tauMax: 1 } })).not.to.throw()
  })

  it('refuses values out of range by name', () => {
    for (const [bad, name] of [
      [{ omega: NaN }, 'omega'],
      [{ threshold: 1 }, 'threshold'],
      [{ relativeBandwidth: 0 }, 'bandwidth'],
      [{ window: { tau: 0 } }, 'window'],
      [{ window: { samples: 1.5 } }, 'window'],
      [{ form: 'auto', lag: 0 }, 'lag'],
      [{ step: -1 }, 'step'],
    ] as const) {
      const act = () => createTransducer({ ...config, ...bad } as Parameters<typeof createTransducer>[0])
      expect(act, name).to.throw(name).with.property('code', 'E_TRANSDUCER_CONFIG')
    }
  })
})

describe('coherence: latch (§6)', () => {
  it('§6 enters at .95, leaves below .90, never before 18 effective samples', () => {
    const params = latchParams()
    expect(latch(params, false, 0.9499, 50)).to.equal(false)
    expect(latch(params, false, 0.95, 50)).to.equal(true)
    expect(latch(params, true, 0.9, 50)).to.equal(true)
    expect(latch(params, true, 0.8999, 50)).to.equal(false)
    expect(latch(params, false, 1, 17.99)).to.equal(false)
  })

  it('a short window held open never collapses, and says its false-alarm rate', () => {
    const held = run(createTransducer({ ...config, window: { samples: 10 }, shortWindow: 'hold' }), tone(100))
    expect(power(held)).to.be.closeTo(1, 1e-12)
    expect(held.collapsed).to.equal(false)
    expect(falseAlarm(held.nEff)).to.be.closeTo(8.2e-4, 1e-5)
  })
})

describe('coherence: step (§1–4)', () => {
  it('a gap in a regular stream decays T like as many lost samples', () => {
    const before = run(createTransducer(config), tone(100))
    const after = [...tone(50, 130)]
    const jumped = run(before, after)
    const filled = run(
      run(
        before,
        Array.from({ length: 30 }, (_, k) => lost((100 + k) * 0.01)),
      ),
      after,
    )
    expect(jumped.t.re).to.be.closeTo(filled.t.re, 1e-14)
    expect(power(run(before, [tone(1, 130)[0]!]))).to.be.lessThan(power(before))
  })

  it('a gap in AUTO takes lost phasors for the lag, never neighbours across the gap', () => {
    const auto = () => createTransducer({ ...config, form: 'auto', lag: 5 })
    const jumped = run(run(auto(), tone(100)), tone(3, 200))
    const filled = run(
      run(
        run(auto(), tone(100)),
        Array.from({ length: 100 }, (_, k) => lost((100 + k) * 0.01)),
      ),
      tone(3, 200),
    )
    expect(jumped.t.re).to.be.closeTo(filled.t.re, 1e-14)
    expect(power(jumped)).to.be.lessThan(0.01)
  })

  it('an irregular stream that falls silent does not collapse on one late sample', () => {
    const before = run(createTransducer({ omega: 2, window: { tau: 0.25 } }), tone(300))
    expect(before.collapsed).to.equal(true)
    const late = step(before, phaseSample(60, 120))
    expect(power(late)).to.be.closeTo(1, 1e-9)
    expect(late.nEff).to.be.closeTo(1, 1e-6)
    expect(late.collapsed).to.equal(false)
  })

  it('refuses and counts times that repeat, run backward or are no numbers; T stays', () => {
    const before = run(createTransducer(config), tone(100))
    for (const time of [0.99, 0.5, NaN, Infinity, -Infinity]) {
      const after = step(before, phaseSample(time, 0))
      expect(after).to.include({ refused: 1, count: 100, time: before.time })
      expect(after.t).to.deep.equal(before.t)
    }
  })

  it('invalid samples dissipate T in every form', () => {
    for (const form of ['ref', 'auto', 'cyclic'] as const) {
      const omega = form === 'cyclic' ? 0 : 2
      const full = run(
        createTransducer({ ...config, omega, form }),
        samplesOf((t) => omega * t, 0.01, 400),
      )
      const faded = run(
        full,
        Array.from({ length: 100 }, (_, k) => lost((400 + k) * 0.01)),
      )
      expect(power(full), form).to.be.greaterThan(0.99)
      expect(power(faded), form).to.be.lessThan(0.001)
    }
  })

  it('a boxcar is the mean of its last N products with N fixed from the start', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 80 }), (phases) => {
        const samples = phases.map((phase, k) => phaseSample(k, phase))
        const { t } = run(createTransducer({ omega: 0, step: 1, window: { samples: 20 } }), samples)
        const mean = phases.slice(-20).reduce((sum, phase) => sum + Math.cos(phase), 0) / 20
        expect(t.re).to.be.closeTo(mean, 1e-12)
      }),
    )
  })

  it('a keyed reference is the same for the same key, node and index, and unlike for any other', () => {
    const key = Buffer.alloc(32, 7)
    const y = keyedReference(key, 'alpha-1')
    expect(y(5)).to.deep.equal(keyedReference(key, 'alpha-1')(5))
    expect(y(5)).not.to.deep.equal(y(6))
    expect(y(5)).not.to.deep.equal(keyedReference(key, 'alpha-2')(5))
    expect(y(5).re ** 2 + y(5).im ** 2).to.be.closeTo(1, 1e-15)
    expect(() => keyedReference(Buffer.alloc(8), 'alpha-1')).to.throw(RangeError)
  })
})
