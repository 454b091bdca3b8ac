import { expect } from 'chai'
import type { Reading } from '../../../node/coherence/index.ts'
import { blockStep, checkBlocks, createBlocks } from '../../../node/coherence/index.ts'

const omega = 2 * Math.PI
const wave = (k: number, h = 0.05): Reading => ({
  time: k * h,
  value: 3 * Math.cos(omega * k * h + 0.7) + 20,
  valid: true,
})
const blocksOf = (params: Parameters<typeof createBlocks>[0], readings: Reading[]) => {
  const state = createBlocks(params)
  return readings.flatMap((reading) => blockStep(state, reading))
}

describe('coherence: Goertzel front end (§8)', () => {
  it('gives a phasor per block, at the time of its first reading, mean removed', () => {
    const samples = blocksOf(
      { omega, block: 20, step: 0.05 },
      Array.from({ length: 65 }, (_, k) => wave(k)),
    )
    expect(samples.map(({ time }) => time)).to.deep.equal([0, 1, 2])
    for (const { re, im, valid } of samples) {
      expect(valid).to.equal(true)
      expect(Math.atan2(im, re)).to.be.closeTo(0.7, 1e-12)
    }
  })

  it('is blind to the mean also over blocks that are not whole cycles', () => {
    const readings = (offset: number) =>
      Array.from({ length: 25 }, (_, k) => ({ ...wave(k), value: wave(k).value + offset }))
    const [flat] = blocksOf({ omega, block: 25, step: 0.05 }, readings(0))
    const [raised] = blocksOf({ omega, block: 25, step: 0.05 }, readings(1e4))
    expect(raised!.re).to.be.closeTo(flat!.re, 1e-9)
    expect(raised!.im).to.be.closeTo(flat!.im, 1e-9)
  })

  it('counts blocks by the readings’ own times when there is no step', () => {
    const readings = Array.from({ length: 40 }, (_, k) => wave(k + 0.3 * Math.sin(k)))
    const samples = blocksOf({ omega, block: 20 }, readings)
    expect(samples).to.have.length(2)
    for (const { time, re, im } of samples) {
      const turned = Math.atan2(im, re) - omega * time - 0.7
      expect(Math.cos(turned)).to.be.greaterThan(0.99)
    }
  })

  it('drops lost readings from a block, and the block when a quarter is lost', () => {
    const readings = (lost: number) => Array.from({ length: 20 }, (_, k) => ({ ...wave(k), valid: k >= lost }))
    expect(blocksOf({ omega, block: 20, step: 0.05 }, readings(5))[0]).to.include({ valid: true })
    expect(blocksOf({ omega, block: 20, step: 0.05 }, readings(6))[0]).to.deep.equal({
      time: 0,
      re: 0,
      im: 0,
      valid: false,
    })
  })

  it('a gap closes the block it falls in and leaves out the blocks without a reading', () => {
    const readings = [
      ...Array.from({ length: 10 }, (_, k) => wave(k)),
      ...Array.from({ length: 20 }, (_, k) => wave(100 + k)),
    ]
    const samples = blocksOf({ omega, block: 20, step: 0.05 }, readings)
    expect(samples.map(({ time, valid }) => [time, valid])).to.deep.equal([
      [0, false],
      [5, true],
    ])
  })

  it('is 0 under the noise gate', () => {
    const readings = Array.from({ length: 20 }, (_, k) => wave(k))
    expect(blocksOf({ omega, block: 20, step: 0.05, noiseGate: 3.1 }, readings)[0]).to.include({ valid: false })
    expect(blocksOf({ omega, block: 20, step: 0.05, noiseGate: 2.9 }, readings)[0]).to.include({ valid: true })
  })

  it('§8 refuses a 1 s window with ω = 2 rad/s on raw samples, naming the ω that would do', () => {
    const act = () => checkBlocks({ omega: 2, block: 400, step: 0.01 }, 1)
    expect(act)
      .to.throw(/3\.142 s/)
      .that.includes({ code: 'E_WINDOW_UNDER_CYCLE' })
    expect(act)
      .to.throw()
      .with.property('hint')
      .that.matches(/feed phases.*6\.283 rad\/s/)
    expect(() => checkBlocks({ omega: 2 * Math.PI, block: 100, step: 0.01 }, 1)).not.to.throw()
  })

  it('refuses a block under one cycle, whether told by the rate or by the times', () => {
    const act = () => checkBlocks({ omega, block: 19, step: 0.05 })
    expect(act).to.throw().with.property('code', 'E_WINDOW_UNDER_CYCLE')
    const counted = () =>
      blocksOf(
        { omega, block: 10 },
        Array.from({ length: 10 }, (_, k) => wave(k)),
      )
    expect(counted).to.throw().with.property('code', 'E_WINDOW_UNDER_CYCLE')
  })

  it('refuses a block that is no whole number and an ω that is not positive', () => {
    for (const bad of [
      { omega, block: 1.5 },
      { omega, block: 1 },
      { omega: 0, block: 20 },
    ]) {
      expect(() => checkBlocks(bad))
        .to.throw()
        .with.property('code', 'E_SIGNAL_CONFIG')
    }
  })
})
