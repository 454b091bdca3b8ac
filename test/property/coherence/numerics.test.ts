import { expect } from 'chai'
import { advanceRefBatch, createRefBatch, mulberry32, RENORMALISE_EVERY } from '../../../node/coherence/index.ts'

const RUN = 1 << 15
const SAMPLES = 100 * RUN

/** a + b exactly, as a rounded sum and its error (Knuth). */
function twoSum(a: number, b: number): [number, number] {
  const sum = a + b
  const part = sum - a
  return [sum, a - (sum - part) + (b - part)]
}

/** a·b exactly, as a rounded product and its error (Dekker). */
function twoProduct(a: number, b: number): [number, number] {
  const split = (x: number): [number, number] => {
    const high = 134_217_729 * x - (134_217_729 * x - x)
    return [high, x - high]
  }
  const [aHigh, aLow] = split(a)
  const [bHigh, bLow] = split(b)
  const product = a * b
  return [product, aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)]
}

describe('coherence P10: numerics', () => {
  it('P10 the leaky integrator in f64 stays within 1e-15 of double-double over three million samples', function () {
    this.timeout(5000)
    const random = mulberry32(10)
    const batch = createRefBatch({ omega: 0, step: 0.01, tau: 0.25 })
    const [re, im] = [new Float64Array(RUN), new Float64Array(RUN)]
    let [high, low] = [0, 0]
    for (let done = 0; done < SAMPLES; done += RUN) {
      for (let k = 0; k < RUN; k++) re[k] = 0.9 + 0.1 * random()
      advanceRefBatch(batch, re, im)
      const gain = 1 - batch.decay
      for (let k = 0; k < RUN; k++) {
        const [kept, keptError] = twoProduct(batch.decay, high)
        const [added, addedError] = twoProduct(gain, re[k]!)
        const [sum, error] = twoSum(kept, added)
        ;[high, low] = twoSum(sum, error + keptError + addedError + batch.decay * low)
      }
    }
    expect(batch.count).to.equal(SAMPLES)
    expect(Math.abs(batch.re - high - low)).to.be.at.most(1e-15)
  })

  it('P10 the phase rotator, set anew every 1024 steps, keeps a tone at ω in phase over three million samples', function () {
    this.timeout(5000)
    expect(RENORMALISE_EVERY).to.equal(1024)
    const [omega, step] = [2.5, 0.01]
    const batch = createRefBatch({ omega, step, tau: 0.25 })
    const [re, im] = [new Float64Array(RUN), new Float64Array(RUN)]
    for (let from = 0; from < SAMPLES; from += RUN) {
      for (let k = 0; k < RUN; k++) {
        const angle = omega * (from + k) * step
        re[k] = Math.cos(angle)
        im[k] = Math.sin(angle)
      }
      advanceRefBatch(batch, re, im)
    }
    expect(batch.re).to.be.closeTo(1, 1e-11)
    expect(batch.im).to.be.closeTo(0, 1e-11)
  })
})
