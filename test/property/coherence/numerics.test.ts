import { expect } from 'chai'
import { mulberry32 } from '../../../node/coherence/index.ts'
import type { CoherenceKernels, LeakyBank } from '../../../wasm/index.ts'
import { farthest, loadAll } from '../../unit/wasm/engines.ts'

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

/** T = a·T + (1-a)·p in double-double. */
class ExactLeak {
  #high = 0
  #low = 0

  get value(): number {
    return this.#high + this.#low
  }

  advance(decay: number, product: number): void {
    const [kept, keptError] = twoProduct(decay, this.#high)
    const [added, addedError] = twoProduct(1 - decay, product)
    const [sum, error] = twoSum(kept, added)
    ;[this.#high, this.#low] = twoSum(sum, error + keptError + addedError + decay * this.#low)
  }
}

/** Three million samples of one stream. */
function advanceFor(bank: LeakyBank, phaseAt: (k: number) => number, afterRun: (t: [number, number]) => void): void {
  const [re, im] = [new Float64Array(1), new Float64Array(1)]
  while (bank.count < SAMPLES) {
    for (let k = 0; k < RUN; k++) bank.phases[k] = phaseAt(bank.count + k)
    bank.advance(RUN)
    bank.read(re, im)
    afterRun([re[0]!, im[0]!])
  }
}

describe('coherence P10: numerics', () => {
  let engines: CoherenceKernels[]
  before(async () => (engines = await loadAll()))

  it('P10 the leaky integrator in f64 stays within 1e-15 of double-double over three million samples', function () {
    this.timeout(10_000)
    const [step, tau] = [0.01, 0.25]
    const decay = Math.exp(-step / tau)
    for (const kernels of engines) {
      const random = mulberry32(10)
      const bank = kernels.leakyBank({ streams: 1, maxSteps: RUN, omega: 0, step, tau })
      const [re, im] = [new ExactLeak(), new ExactLeak()]
      const phaseAt = () => {
        const phase = 0.45 * random()
        re.advance(decay, Math.cos(phase))
        im.advance(decay, -Math.sin(phase))
        return phase
      }
      advanceFor(bank, phaseAt, (t) => {
        expect(farthest(t, [re.value, im.value]), kernels.engine).to.be.at.most(1e-15)
      })
      expect(bank.count).to.equal(SAMPLES)
      bank.free()
    }
  })

  it('P10 a tone at ω stays in phase in the leaky bank over three million samples', function () {
    this.timeout(10_000)
    const [omega, step] = [2.5, 0.01]
    for (const kernels of engines) {
      const bank = kernels.leakyBank({ streams: 1, maxSteps: RUN, omega, step, tau: 0.25 })
      advanceFor(
        bank,
        (k) => omega * (k * step),
        (t) => expect(farthest(t, [1, 0]), kernels.engine).to.be.at.most(1e-11),
      )
      expect(bank.count).to.equal(SAMPLES)
      bank.free()
    }
  })

  it('P10 a tone at ω stays in phase in the Goertzel bank over a block of three million samples', function () {
    this.timeout(10_000)
    const cycles = 1000
    for (const kernels of engines) {
      const bank = kernels.goertzelBank({ angles: [(2 * Math.PI * cycles) / SAMPLES], maxValues: SAMPLES })
      const { values } = bank
      for (let k = 0; k < SAMPLES; k++) values[k] = Math.cos((2 * Math.PI * ((cycles * k) % SAMPLES)) / SAMPLES)
      bank.transform(SAMPLES)
      expect(farthest([...bank.re, ...bank.im], [1, 0]), kernels.engine).to.be.at.most(1e-11)
      bank.free()
    }
  })
})
