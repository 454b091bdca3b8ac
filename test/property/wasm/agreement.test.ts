import { expect } from 'chai'
import * as fc from 'fast-check'
import type { CoherenceKernels } from '../../../wasm/index.ts'
import { loadAll, outcome, withArrays } from '../../unit/wasm/engines.ts'

const ONE = 2 ** 30

interface Row {
  readonly weight: number
  readonly re: number
  readonly im: number
}

// A NaN with a payload, as it may lie in memory that somebody else wrote.
const oddNaN = new Float64Array(new BigUint64Array([0xfff8_0000_dead_beefn]).buffer)[0]!
const wild = fc.constantFrom(
  0,
  -0,
  5e-324,
  -5e-324,
  2 ** -31,
  NaN,
  oddNaN,
  Infinity,
  -Infinity,
  1 + 2 ** -52,
  1.5,
  1e308,
)
const tie = fc.integer({ min: -ONE, max: ONE - 1 }).map((whole) => (whole + 0.5) / ONE)
const value = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
  { weight: 3, arbitrary: tie },
  { weight: 1, arbitrary: wild },
)

const weight = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 1_000_000 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, -0, 1) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 33 - 1) },
)
const inDisc = fc
  .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: -4, max: 4, noNaN: true }))
  .map(([size, angle]) => ({
    re: Math.round(ONE * size * Math.cos(angle)),
    im: Math.round(ONE * size * Math.sin(angle)),
  }))
const corner = fc.constantFrom(
  ...[0, ONE, -ONE].map((re) => ({ re, im: 0 })),
  ...[ONE, -ONE].map((im) => ({ re: 0, im })),
  ...[1, -1].map((re) => ({ re, im: -re })),
)
const row = fc
  .tuple(weight, fc.oneof({ weight: 5, arbitrary: inDisc }, corner))
  .map(([weight, t]): Row => ({ weight, ...t }))
const badRow = fc.constantFrom<Row>(
  ...[-1, 0.5, NaN, oddNaN, Infinity, 5e-324, 2 ** 33, 2 ** 53].map((weight) => ({ weight, re: 0, im: 0 })),
  ...[ONE + 1, -(2 ** 31), 2 ** 31 - 1].map((re) => ({ weight: 1, re, im: 0 })),
  { weight: 1, re: ONE, im: ONE },
)
/** None, one, odd and even numbers of reports, whatever they say; often one of them out of range. */
const mesh = fc
  .tuple(fc.array(row, { maxLength: 23 }), fc.option(badRow, { freq: 8, nil: undefined }), fc.nat(23))
  .map(([rows, bad, at]) => (bad === undefined ? rows : [...rows.slice(0, at), bad, ...rows.slice(at)]))

function agreementOf(kernels: CoherenceKernels, rows: readonly Row[], threshold: number, length = rows.length) {
  return withArrays(kernels, (arrayOf) => {
    const columns = {
      weights: arrayOf(
        'f64',
        rows.map((row) => row.weight),
      ),
      re: arrayOf(
        'i32',
        rows.map((row) => row.re),
      ),
      im: arrayOf(
        'i32',
        rows.map((row) => row.im),
      ),
    }
    const standing = arrayOf(
      'i32',
      rows.map(() => 7),
    )
    return {
      sum: outcome(() => kernels.weightedSum(columns, length)),
      median: outcome(() => kernels.geometricMedian(columns, length)),
      agreement: outcome(() => kernels.agreement(columns, threshold, standing, length)),
      standing: [...standing.values],
    }
  })
}

function quantised(kernels: CoherenceKernels, values: readonly number[]) {
  return withArrays(kernels, (arrayOf) => {
    const [from, to] = [
      arrayOf('f64', values),
      arrayOf(
        'i32',
        values.map(() => 7),
      ),
    ]
    return { refusal: outcome(() => kernels.quantise(from, to)), values: [...to.values] }
  })
}

describe('wasm coherence P11: agreement has the same bits in simd, plain and typescript', () => {
  let engines: CoherenceKernels[]
  before(async () => (engines = await loadAll()))
  after(() => expect(engines.map(({ faults }) => faults)).to.deep.equal([0, 0, 0]))

  const same = (work: (kernels: CoherenceKernels) => unknown) => {
    const [simd, plain, typescript] = engines.map(work)
    expect(simd).to.deep.equal(typescript)
    expect(plain).to.deep.equal(typescript)
    return typescript
  }

  it('Q1.30 of any values, ties and refusals too', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 40 }), (values) => void same((kernels) => quantised(kernels, values))),
      { numRuns: 400 },
    )
  })

  it('rounds half to even, and refuses only what is clearly outside', () => {
    const halves = [0.5, 1.5, 2.5, -0.5, -1.5].map((units) => units / ONE)
    expect(same((kernels) => quantised(kernels, [...halves, 1 + 2 ** -52, -0]))).to.deep.equal({
      refusal: undefined,
      values: [0, 2, 2, 0, -2, ONE, 0],
    })
    for (const bad of [NaN, oddNaN, Infinity, -Infinity, 1 + 2 ** -29, -1.5]) {
      const found = same((kernels) => quantised(kernels, [1, bad, 1]))
      expect(found).to.deep.equal({ refusal: 'E_QUANTISE_RANGE', values: [ONE, 7, 7] })
    }
  })

  it('sum, median, agreement and every standing, of any reports and any threshold', () => {
    const threshold = fc.oneof(
      fc.integer({ min: 0, max: ONE }),
      fc.constantFrom(0, ONE / 2, ONE, Math.round(0.9 * ONE)),
    )
    fc.assert(
      fc.property(mesh, threshold, (rows, threshold) => void same((kernels) => agreementOf(kernels, rows, threshold))),
      { numRuns: 1000 },
    )
  })

  it('the leading reports only, when asked for fewer', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 9 }), fc.nat(9), (rows, length) => {
        fc.pre(length <= rows.length)
        const found = same((kernels) => agreementOf(kernels, rows, ONE / 2, length)) as { standing: number[] }
        expect(found.standing.slice(length).every((standing) => standing === 7)).to.equal(true)
      }),
    )
  })

  it('reports on the edge of the threshold and of the angle', () => {
    const near = fc.integer({ min: -3, max: 3 })
    const edge = fc.tuple(fc.double({ min: 0.01, max: 1, noNaN: true }), near, near, near)
    fc.assert(
      fc.property(edge, ([share, dRe, dIm, dThreshold]) => {
        const threshold = Math.min(ONE, Math.max(0, Math.floor(share * ONE) + dThreshold))
        const size = Math.sqrt(share) * (ONE - 4)
        const angle = Math.acos(Math.max(-1, 2 * share - 1))
        const at = (turn: number) => ({
          re: Math.round(size * Math.cos(turn)) + dRe,
          im: Math.round(size * Math.sin(turn)) + dIm,
        })
        const rows = [
          { weight: 1000, re: ONE - 4, im: 0 },
          ...[0, angle, -angle].map((turn) => ({ weight: 1, ...at(turn) })),
        ]
        same((kernels) => agreementOf(kernels, rows, threshold))
      }),
      { numRuns: 500 },
    )
  })

  it('medians that lie on a report, among equal reports and in line', () => {
    const t = fc.oneof(inDisc, corner)
    fc.assert(
      fc.property(t, fc.array(row, { maxLength: 6 }), fc.integer({ min: 1, max: 5 }), (t, others, copies) => {
        const heavy = Array.from({ length: copies }, () => ({ weight: 10_000_000, ...t }))
        same((kernels) => agreementOf(kernels, [...others.map((row) => ({ ...row, weight: 1 })), ...heavy], ONE / 2))
      }),
    )
    const line = [-3, -1, 0, 1, 3].map((k) => ({ weight: 1, re: k * 1000, im: k * 2000 }))
    expect(same((kernels) => agreementOf(kernels, line, 0))).to.deep.include({ median: { re: 0, im: 0 } })
  })

  it('0 from nobody and from nobody of weight, and the edges of the weights', () => {
    const zero = { sum: { re: 0, im: 0 }, median: { re: 0, im: 0 } }
    expect(same((kernels) => agreementOf(kernels, [], ONE))).to.deep.include(zero)
    const idle = [0, -0].map((weight) => ({ weight, re: 5, im: -5 }))
    expect(same((kernels) => agreementOf(kernels, idle, ONE))).to.deep.include(zero)
    const all = [{ weight: 2 ** 33 - 1, re: -ONE, im: 0 }]
    expect(same((kernels) => agreementOf(kernels, all, ONE))).to.deep.include({ sum: { re: -ONE, im: 0 } })
    const over = same((kernels) => agreementOf(kernels, [...all, { weight: 1, re: 0, im: 0 }], ONE))
    expect(over).to.deep.include({ sum: 'E_REPORT_RANGE', median: 'E_REPORT_RANGE', agreement: 'E_REPORT_RANGE' })
  })

  it('the bits are these, on every machine', () => {
    const rows = [
      { weight: 3, re: 1_046_000_001, im: -99_999_999 },
      { weight: 3, re: 1_030_303_031, im: 12_345_678 },
      { weight: 3, re: -310_000_007, im: 900_000_011 },
      { weight: 2, re: 1_040_404_043, im: -7_777_777 },
    ]
    // Computed once by another program (Python's integers and IEEE 754 doubles), as for the node's own.
    const golden = { sum: { re: 670883378, im: 220134683 }, median: { re: 1028889282, im: 7304715 } }
    expect(same((kernels) => agreementOf(kernels, rows, ONE / 2))).to.deep.include(golden)
  })
})
