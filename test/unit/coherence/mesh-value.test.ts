import { expect } from 'chai'
import type { Complex, WeightedReport } from '../../../node/coherence/index.ts'
import {
  decide,
  dequantiseT,
  geometricMedian,
  orderedReports,
  quantise,
  quantiseT,
  unit,
  weightedSum,
} from '../../../node/coherence/index.ts'

const report = (peer: string, t: Complex, weight = 1): WeightedReport => ({ peer, weight, t: quantiseT(t) })
const pointing = (angle: number, size = 0.99) => ({ re: size * unit(angle).re, im: size * unit(angle).im })

describe('coherence: what nodes agree on (P7, P8, P11)', () => {
  it('P11 quantises to Q1.30 rounding half to even', () => {
    const ulp = 2 ** -30
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5].map((n) => quantise(n * ulp))).to.deep.equal([0, 2, 2, 0, -2, -2])
    expect([1, -1, 1 + 2e-16].map(quantise)).to.deep.equal([2 ** 30, -(2 ** 30), 2 ** 30])
    expect(Object.is(quantise(-0), -0)).to.equal(false)
    for (const bad of [NaN, Infinity, 1.001, -1.001]) {
      expect(() => quantise(bad))
        .to.throw()
        .with.property('code', 'E_QUANTISE_RANGE')
    }
  })

  it('P11 divides by floor on both sides of zero', () => {
    const raw = (re: number, im: number, weight: number, peer: string) => ({ peer, weight, t: { re, im } })
    expect(weightedSum([raw(1, -1, 1, 'a'), raw(0, 0, 1, 'b')])).to.deep.equal({ re: 0, im: -1 })
    expect(weightedSum([raw(-3, 3, 1, 'a'), raw(0, 0, 1, 'b')])).to.deep.equal({ re: -2, im: 1 })
  })

  it('P11 sums exactly where doubles would not', () => {
    const most = 2 ** 33 - 1
    const nobody = { peer: 'b', weight: 1, t: { re: 0, im: 0 } }
    const one = (re: number, im: number) => ({ peer: 'a', weight: most - 1, t: { re, im } })
    expect(weightedSum([one(2 ** 30, 0), nobody])).to.deep.equal({ re: 2 ** 30 - 1, im: 0 })
    expect(weightedSum([one(0, -(2 ** 30)), nobody])).to.deep.equal({ re: 0, im: -(2 ** 30) })
  })

  it('refuses a T outside the unit disc: its author could move the mesh further than its weight', () => {
    const corner = { peer: 'a', weight: 1, t: { re: 2 ** 30, im: 2 ** 30 } }
    expect(() => orderedReports([corner]))
      .to.throw()
      .with.property('code', 'E_REPORT_RANGE')
  })

  it('refuses weights and values out of range, and a peer that reports twice', () => {
    const fine = report('a', pointing(0))
    for (const bad of [
      [{ ...fine, weight: 1.5 }],
      [{ ...fine, weight: -1 }],
      [{ ...fine, weight: 2 ** 33 }],
      [{ ...fine, t: { re: 2 ** 30 + 1, im: 0 } }],
      [{ ...fine, t: { re: 0.5, im: 0 } }],
      [fine, fine],
    ]) {
      expect(() => orderedReports(bad))
        .to.throw()
        .with.property('code', 'E_REPORT_RANGE')
    }
  })

  it('is 0 and undecided when nobody of weight reports', () => {
    const none = [report('a', pointing(0), 0)]
    expect([weightedSum(none), geometricMedian(none)]).to.deep.equal([
      { re: 0, im: 0 },
      { re: 0, im: 0 },
    ])
    expect(decide([])).to.deep.include({ collapsed: false, totalWeight: 0, dissenters: [] })
  })

  it('P8 the median sits with the majority where the mean is pulled away', () => {
    const reports = [
      report('a', pointing(0)),
      report('b', pointing(0)),
      report('c', pointing(0)),
      report('d', pointing(Math.PI)),
    ]
    const median = dequantiseT(geometricMedian(reports))
    expect(median.re).to.be.closeTo(0.99, 1e-6)
    expect(dequantiseT(weightedSum(reports)).re).to.be.closeTo(0.495, 1e-6)
  })

  it('P8 collapses with 2/3 of the weight, names the dissenter, and takes silence as absence', () => {
    const reports = ['a', 'b', 'c'].map((peer) => report(peer, pointing(0.1), 3))
    const mesh = [...reports, report('d', pointing(2), 3)]
    expect(decide(mesh)).to.include({ collapsed: true, agreeingWeight: 9, totalWeight: 12 })
    expect(decide(mesh).dissenters).to.deep.equal(['d'])
    expect(decide(reports.slice(1), { totalWeight: 12 }).collapsed).to.equal(false)
    expect(decide(reports.slice(1), { totalWeight: 9 }).collapsed).to.equal(true)
  })

  it('P8 draws the line at 0.4510 rad from the median and at I_c', () => {
    const apart = (angle: number, size?: number) =>
      decide([report('a', pointing(0), 10), report('b', pointing(angle, size), 1)]).agreeingWeight
    expect([apart(0.45), apart(0.452), apart(-0.45), apart(Math.PI)]).to.deep.equal([11, 10, 11, 10])
    expect([apart(0, Math.sqrt(0.951)), apart(0, Math.sqrt(0.949))]).to.deep.equal([11, 10])
  })

  it('a mesh that has not collapsed names only those collapsed alone elsewhere', () => {
    const weak = ['a', 'b', 'c'].map((peer) => report(peer, pointing(0, 0.5)))
    expect(decide([...weak, report('d', pointing(2))])).to.deep.include({ collapsed: false, dissenters: ['d'] })
  })
})
