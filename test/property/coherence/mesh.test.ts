import { expect } from 'chai'
import * as fc from 'fast-check'
import type { Complex, WeightedReport } from '../../../node/coherence/index.ts'
import {
  decide,
  dequantiseT,
  geometricMedian,
  magnitude,
  magnitudeSquared,
  Q30_ONE,
  quantise,
  quantiseT,
  unit,
  weightedSum,
} from '../../../node/coherence/index.ts'

const insideDisc = fc
  .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: -4, max: 4, noNaN: true }))
  .map(([size, angle]): Complex => ({ re: size * Math.cos(angle), im: size * Math.sin(angle) }))
const meshOf = (t: fc.Arbitrary<Complex>, maxLength = 12) =>
  fc
    .array(fc.tuple(t, fc.integer({ min: 1, max: 1_000_000 })), { minLength: 1, maxLength })
    .map((rows) => rows.map(([t, weight], k): WeightedReport => ({ peer: `p${k}`, weight, t: quantiseT(t) })))
const report = (peer: string, weight: number, t: Complex): WeightedReport => ({ peer, weight, t: quantiseT(t) })
const sumOf = (reports: WeightedReport[]) => dequantiseT(weightedSum(reports))
const medianOf = (reports: WeightedReport[]) => dequantiseT(geometricMedian(reports))
const apart = (a: Complex, b: Complex) => magnitude({ re: a.re - b.re, im: a.im - b.im })
const weightOf = (reports: WeightedReport[]) => reports.reduce((sum, { weight }) => sum + weight, 0)

// What Q1.30 and floor may add to a bound.
const GRAIN = 4 / Q30_ONE

describe('coherence P7, P8, P11: the mesh', () => {
  it('P7 |T_global| ≤ 1, and liars of weight β move it by at most 2β', () => {
    fc.assert(
      fc.property(meshOf(insideDisc), meshOf(insideDisc, 4), (honest, lies) => {
        const liars = Math.min(lies.length, honest.length)
        const told = honest.map((row, k) => (k < liars ? { ...row, t: lies[k]!.t } : row))
        const beta = weightOf(honest.slice(0, liars)) / weightOf(honest)
        expect(magnitude(sumOf(told))).to.be.at.most(1 + GRAIN)
        expect(apart(sumOf(told), sumOf(honest))).to.be.at.most(2 * beta + GRAIN)
      }),
    )
  })

  it('P7 a collapse cannot be forged below 97.5 % of the weight, but 1.27 % can block one', () => {
    const forged = (liars: number) =>
      magnitudeSquared(sumOf([report('a', liars, unit(0)), report('b', 10_000 - liars, { re: 0, im: 0 })]))
    expect([forged(9740) >= 0.95, forged(9750) >= 0.95]).to.deep.equal([false, true])
    const blocked = (liars: number) =>
      magnitudeSquared(sumOf([report('a', liars, unit(Math.PI)), report('b', 10_000 - liars, unit(0))]))
    expect([blocked(126) >= 0.95, blocked(127) >= 0.95]).to.deep.equal([true, false])
  })

  it('P8 liars of weight β < ½ move the median by at most ρ(1-β)/√(1-2β) from honest reports within ρ', () => {
    const scatter = fc.double({ min: 0.001, max: 0.2, noNaN: true })
    const share = fc.double({ min: 0, max: 0.45, noNaN: true })
    fc.assert(
      fc.property(scatter, share, meshOf(insideDisc, 9), meshOf(insideDisc, 5), (rho, beta, shape, lies) => {
        const center = { re: 0.5, im: -0.3 }
        const honest = shape.map(({ t, weight }, k) => {
          const { re, im } = dequantiseT(t)
          return report(`h${k}`, weight, { re: center.re + rho * re, im: center.im + rho * im })
        })
        const room = (beta / (1 - beta)) * weightOf(honest)
        const told = lies.map(({ t }, k) => ({ peer: `l${k}`, t, weight: Math.floor(room / lies.length) }))
        const actual = weightOf(told) / (weightOf(told) + weightOf(honest))
        const limit = (rho * (1 - actual)) / Math.sqrt(1 - 2 * actual)
        // 64 Weiszfeld steps stop a little short of the median when it lies on a report.
        expect(apart(medianOf([...honest, ...told]), center)).to.be.at.most(limit + 2e-3)
      }),
      { numRuns: 300 },
    )
  })

  it('P8 one of four operators can neither forge the decision nor block it', () => {
    fc.assert(
      fc.property(insideDisc, fc.double({ min: 0, max: 6, noNaN: true }), (lie, angle) => {
        const sure = unit(angle)
        const agreed = ['a', 'b', 'c'].map((peer) => report(peer, 3, { re: 0.99 * sure.re, im: 0.99 * sure.im }))
        expect(decide([...agreed, report('d', 3, lie)]).collapsed).to.equal(true)
        const doubtful = ['a', 'b', 'c'].map((peer) => report(peer, 3, { re: 0.9 * sure.re, im: 0.9 * sure.im }))
        expect(decide([...doubtful, report('d', 3, lie)]).collapsed).to.equal(false)
      }),
    )
  })

  it('P8 the test without trigonometry draws the same line as the angle', () => {
    fc.assert(
      fc.property(fc.double({ min: -3.1, max: 3.1, noNaN: true }), (angle) => {
        fc.pre(Math.abs(Math.abs(angle) - Math.acos(0.9)) > 1e-6)
        const { agreeingWeight } = decide([report('a', 1000, unit(0.3)), report('b', 1, unit(0.3 + angle))])
        expect(agreeingWeight === 1001).to.equal(Math.abs(angle) < Math.acos(0.9))
      }),
    )
  })

  it('P11 sum, median and decision have the same bits in every order of the reports', () => {
    fc.assert(
      fc.property(
        meshOf(insideDisc).chain((mesh) =>
          fc.tuple(fc.constant(mesh), fc.shuffledSubarray(mesh, { minLength: mesh.length })),
        ),
        ([mesh, shuffled]) => {
          expect(weightedSum(shuffled)).to.deep.equal(weightedSum(mesh))
          expect(geometricMedian(shuffled)).to.deep.equal(geometricMedian(mesh))
          expect(decide(shuffled)).to.deep.equal(decide(mesh))
        },
      ),
    )
  })

  it('P11 the bits are these, on every machine', () => {
    const mesh = [
      { peer: 'alpha', weight: 3, t: { re: 1_046_000_001, im: -99_999_999 } },
      { peer: 'beta', weight: 3, t: { re: 1_030_303_031, im: 12_345_678 } },
      { peer: 'delta', weight: 3, t: { re: -310_000_007, im: 900_000_011 } },
      { peer: 'gamma', weight: 2, t: { re: 1_040_404_043, im: -7_777_777 } },
    ]
    expect(weightedSum(mesh)).to.deep.equal(GOLDEN.sum)
    expect(geometricMedian(mesh)).to.deep.equal(GOLDEN.median)
  })

  it('P11 quantises to the nearest, ties to even, and back within half a grain', () => {
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (value) => {
        const q = quantise(value)
        expect(Number.isInteger(q)).to.equal(true)
        expect(Math.abs(q / Q30_ONE - value)).to.be.at.most(0.5 / Q30_ONE)
        expect(quantise(q / Q30_ONE)).to.equal(q)
      }),
    )
  })
})

// Computed once by another program (Python's integers and IEEE 754 doubles).
const GOLDEN = { sum: { re: 670883378, im: 220134683 }, median: { re: 1028889282, im: 7304715 } }
