import { expect } from 'chai'
import type { Sample, SignalConfig } from '../../../node/coherence/index.ts'
import { createIngest } from '../../../node/coherence/index.ts'
import { BATCH_LEAST, kernelSource } from '../../../node/coherence/kernels.ts'
import { type KernelFault, loadCoherence } from '../../../wasm/index.ts'
import { bytesOf } from './feeds.ts'

const READINGS = 3 * BATCH_LEAST
const text = (valueAt: (k: number) => number, column = 'phase') =>
  `${column}\n${Array.from({ length: READINGS }, (_, k) => valueAt(k)).join('\n')}\n`

/** Samples of a text that comes in chunks of `size` bytes, with how often the kernels were asked for. */
async function samplesOf(config: SignalConfig, input: string, size: number) {
  let loads = 0
  const kernels = () => {
    loads += 1
    return loadCoherence()
  }
  const samples: Sample[] = []
  const deps = { signal: new AbortController().signal, stdin: bytesOf(input, size), kernels }
  for await (const batch of createIngest(config, deps)) samples.push(...batch)
  return { samples, loads }
}

function expectClose(batched: readonly Sample[], single: readonly Sample[]): void {
  expect(batched.length).to.equal(single.length)
  for (const [k, { re, im, ...rest }] of batched.entries()) {
    const { re: oneRe, im: oneIm, ...other } = single[k]!
    expect(rest).to.deep.equal(other)
    expect(re).to.be.closeTo(oneRe, 1e-12)
    expect(im).to.be.closeTo(oneIm, 1e-12)
  }
}

describe('coherence ingest: batches', () => {
  it('phases in batches of 256 and more go through the kernels, to 1e-12 as one by one', async () => {
    const config: SignalConfig = { source: 'stdin', rate_hz: 10 }
    const input = text((k) => 1000 * Math.sin(k))
    const batched = await samplesOf(config, input, 1 << 20)
    const single = await samplesOf(config, input, 64)
    expect([batched.loads, single.loads]).to.deep.equal([1, 0])
    expect(batched.samples).to.have.length(READINGS)
    expectClose(batched.samples, single.samples)
  })

  it('so do blocks of 256 raw samples and more, whatever the batches', async () => {
    const config = {
      source: 'stdin',
      rate_hz: 100,
      block: BATCH_LEAST,
      omega: 2 * Math.PI,
      value_column: 'phase',
    } as const
    const input = text((k) => Math.cos((2 * Math.PI * k) / 100 + 1) + 3, 'value')
    const { samples, loads } = await samplesOf(config, input, 64)
    expect(loads).to.equal(1)
    process.env['KAIROS_WASM'] = 'off'
    const twin = await samplesOf(config, input, 64).finally(() => delete process.env['KAIROS_WASM'])
    expect(samples).to.have.length(READINGS / BATCH_LEAST)
    expectClose(samples, twin.samples)
  })

  it('an invalid reading in a batch stays invalid', async () => {
    const config: SignalConfig = { source: 'stdin', rate_hz: 10, on_bad_sample: 'invalid' }
    const lines = text((k) => k).replace('\n300\n', '\nx\n')
    const { samples } = await samplesOf(config, lines, 1 << 20)
    expect(samples.map(({ valid }) => valid).indexOf(false)).to.equal(300)
    expect(samples.filter(({ valid }) => !valid)).to.have.length(1)
  })

  it('one source loads its kernels once', async () => {
    const faults: KernelFault[] = []
    const kernels = kernelSource((fault) => faults.push(fault))
    expect(await kernels()).to.equal(await kernels())
    expect(faults).to.deep.equal([])
  })
})
