import { expect } from 'chai'
import type { Sample, SyncState } from '../../../node/coherence/index.ts'
import { createSync, createTransducer, readSync, syncStep } from '../../../node/coherence/index.ts'
import { samplesOf } from './signals.ts'

const h = 0.01
const half = (tauMax: number) => createTransducer({ omega: 2, step: h, window: { tauMax } })
const create = (masterMax = 10) => createSync(half(masterMax), half(1))
const advance = (state: SyncState, samples: Sample[]) => samples.reduce(syncStep, state)

describe('coherence: sync layer (§7)', () => {
  it('§7 collapses on a coherent input, as the mean of both halves', () => {
    const state = advance(
      create(),
      samplesOf((t) => 2 * t, h, 1200),
    )
    const { t, collapsed, deltaMagnitude, deltaArgument, falseAlarm, miss } = readSync(state)
    expect(t.re).to.be.closeTo((state.master.t.re + state.emissary.t.re) / 2, 1e-15)
    expect([collapsed, miss]).to.deep.equal([true, undefined])
    expect(deltaMagnitude).to.be.closeTo(0.0122, 1e-3)
    expect(deltaArgument).to.be.lessThan(1e-9)
    expect(falseAlarm).to.be.lessThan(1e-6)
  })

  it('§7 is missed while the Master still grows, for want of the Master', () => {
    const state = advance(
      create(),
      samplesOf((t) => 2 * t, h, 300),
    )
    expect(state.emissary.collapsed).to.equal(true)
    expect(readSync(state)).to.include({ collapsed: false, miss: 'master' })
    expect(state.realignments).to.equal(0)
  })

  it('§7 needs both a small angle and a small difference in length', () => {
    const settled = advance(
      create(400),
      samplesOf((t) => 2 * t, h, 60_000),
    )
    const turned = advance(
      settled,
      samplesOf((t) => 2 * t + 0.6, h, 80, 60_000),
    )
    expect(turned.master.collapsed && turned.emissary.collapsed).to.equal(true)
    expect(readSync(turned)).to.include({ collapsed: false, miss: 'direction' })
    const strict = advance(
      createSync(half(10), half(1), { phaseThreshold: 0.001 }),
      samplesOf((t) => 2 * t, h, 1200),
    )
    expect(readSync(strict)).to.include({ collapsed: false, miss: 'difference' })
  })

  it('§7 asks for realignment after a whole emissary tau_max of misses, resets the emissary, and counts', () => {
    // A slow Master keeps pointing the old way, so the miss outlasts the emissary's tau_max again and again.
    const settled = advance(
      create(400),
      samplesOf((t) => 2 * t, h, 60_000),
    )
    expect(settled.collapsed).to.equal(true)
    const at: number[] = []
    let state = settled
    for (const sample of samplesOf((t) => 2 * t + 0.7, h, 1000, 60_000)) {
      const before = state.realignments
      state = syncStep(state, sample)
      if (state.realignments > before) at.push(sample.time)
      if (state.realignments > before) expect(state.emissary).to.deep.include({ t: { re: 0, im: 0 }, collapsed: false })
    }
    expect(at.length).to.be.greaterThan(2)
    expect(state.realignments).to.equal(at.length)
    expect(at[0]! - 600).to.be.within(1, 2)
    for (let n = 1; n < at.length; n++) expect(at[n]! - at[n - 1]!).to.be.at.least(1)
  })

  it('leaves two collapsed halves alone while T_sync holds', () => {
    const state = advance(
      create(),
      samplesOf((t) => 2 * t + 0.05 * Math.sin(t), h, 5000),
    )
    expect(state).to.include({ collapsed: true, realignments: 0, missedSince: undefined })
  })
})
