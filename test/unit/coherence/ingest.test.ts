import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { SignalConfig } from '../../../node/coherence/index.ts'
import { createIngest, createTransducer, mulberry32, signalStep } from '../../../node/coherence/index.ts'
import { heldBytes } from '../../helpers/held-bytes.ts'
import { bytesOf, collect, failure, sleepingClock } from './feeds.ts'
import { power, run } from './signals.ts'

const live: SignalConfig = { source: 'stdin', rate_hz: 10 }
const phases = (n: number) => Array.from({ length: n }, (_, k) => 0.2 * k)

describe('coherence ingest: sources', () => {
  let dir: string
  before(async () => void (dir = await mkdtemp(join(tmpdir(), 'kairos-ingest-'))))
  after(() => rm(dir, { recursive: true }))
  const record = async (name: string, text: string) => {
    const path = join(dir, name)
    await writeFile(path, text)
    return path
  }

  it('reads a CSV with quotes, CRLF, a byte-order mark and no last line feed, whatever the chunks', async () => {
    const text = '\ufeff"x, y",phase,t\r\n"a ""b""",0.5,1\r\n\r\nc, 1e0 ,2'
    const { samples } = await collect({ source: 'stdin', time_column: 't' }, text)
    expect(samples.map(({ time }) => time)).to.deep.equal([1, 2])
    expect(samples.map(({ re }) => re)).to.deep.equal([Math.cos(0.5), Math.cos(1)])
  })

  it('reads NDJSON with its own times, and by the rate without', async () => {
    const timed = await collect({ source: 'stdin' }, '{"t":3,"phase":1}\n{"t":3.5,"phase":2}\n')
    expect(timed.samples.map(({ time }) => time)).to.deep.equal([3, 3.5])
    const rated = await collect(
      live,
      phases(5)
        .map((phase) => JSON.stringify({ phase }))
        .join('\n'),
    )
    expect(rated.samples.map(({ time }) => time)).to.deep.equal([0, 0.1, 0.2, 0.3, 0.4])
    expect(rated.events).to.deep.equal([{ type: 'end', readings: 5 }])
  })

  it('gives arrival times, ever increasing, to a live stream without times or rate', async () => {
    const { samples } = await collect({ source: 'stdin' }, 'phase\n1\n2\n3\n')
    expect(samples.map(({ valid }) => valid)).to.deep.equal([true, true, true])
    expect(samples[1]!.time).to.be.greaterThan(samples[0]!.time)
    expect(samples[2]!.time).to.be.greaterThan(samples[1]!.time)
  })

  it('takes the phase of a second signal as the reference', async () => {
    const config = { ...live, phase_column: 'p', reference_column: 'q' }
    const { samples } = await collect(config, 'p,q\n1,0.25\n')
    expect(samples[0]).to.include({ re: Math.cos(0.75), im: Math.sin(0.75) })
  })

  it('starts a recording over, saying so, padded to whole cycles so that the phase goes on', async () => {
    // 23 of the 24 readings of each of three cycles' worth: the last cycle lacks its end.
    const wave = Array.from({ length: 71 }, (_, k) => Math.cos((2 * Math.PI * k) / 24))
    const path = await record('loop.csv', `value\n${wave.join('\n')}\n`)
    const config = { source: 'recording', path, rate_hz: 1, block: 24, period_s: 24, speed: 'max', loop: true } as const
    const { samples, events } = await collect(config, '', 200)
    expect(events.find(({ type }) => type === 'loop')).to.deep.equal({ type: 'loop', pass: 2, time: 72 })
    expect(samples.slice(0, 7).map(({ time }) => time)).to.deep.equal([0, 24, 48, 72, 96, 120, 144])
    const transducer = createTransducer({
      omega: (2 * Math.PI) / 24,
      step: signalStep(config),
      window: { samples: 18 },
    })
    expect(power(run(transducer, samples))).to.be.greaterThan(0.999)
  })

  it('releases a recording at so many recorded seconds per second of the clock', async () => {
    const path = await record('paced.csv', `phase\n${phases(100).join('\n')}\n`)
    const clock = sleepingClock()
    const config: SignalConfig = { source: 'recording', path, rate_hz: 10, speed: 4 }
    const seen: [number, number][] = []
    for await (const batch of createIngest(config, { signal: new AbortController().signal, clock })) {
      for (const { time } of batch) seen.push([clock.now(), time])
    }
    expect(seen).to.have.length(100)
    expect(clock.now()).to.be.within(9.9 * 250, 9.9 * 250 + 20)
    for (const [now, time] of seen) expect(now).to.be.within(time * 250 - 1e-6, time * 250 + 25)
  })

  it('makes tone, chirp and noise, the same for the same seed', async () => {
    const synthetic = (shape: 'tone' | 'chirp' | 'noise', seed = 1): SignalConfig => ({
      source: 'synthetic',
      rate_hz: 50,
      omega: 3,
      speed: 'max',
      seed,
      synthetic: { shape, chirp_hz_per_s: 0.5, duration_s: 20 },
    })
    const state = () => createTransducer({ omega: 3, step: 0.02, window: { tau: 2 } })
    const [tone, chirp, noise] = await Promise.all(
      (['tone', 'chirp', 'noise'] as const).map((shape) => collect(synthetic(shape))),
    )
    expect(tone!.samples).to.have.length(1000)
    expect(run(state(), tone!.samples).collapsed).to.equal(true)
    expect(power(run(state(), chirp!.samples))).to.be.lessThan(0.1)
    expect(power(run(state(), noise!.samples))).to.be.lessThan(0.1)
    expect((await collect(synthetic('noise'))).samples).to.deep.equal(noise!.samples)
    expect((await collect(synthetic('noise', 2))).samples).not.to.deep.equal(noise!.samples)
  })

  it('adds seeded noise and gaps', async () => {
    const tone: SignalConfig = {
      source: 'synthetic',
      rate_hz: 50,
      omega: 3,
      speed: 'max',
      synthetic: { shape: 'tone', duration_s: 100 },
      noise: 0.2,
      gap_rate: 0.1,
      seed: 3,
    }
    const { samples } = await collect(tone)
    const lost = samples.filter(({ valid }) => !valid).length
    expect(lost / samples.length).to.be.closeTo(0.1, 0.02)
    const mean = power(run(createTransducer({ omega: 3, step: 0.02, window: { samples: 5000 } }), samples))
    expect(mean).to.be.closeTo(Math.exp(-0.04) * 0.81, 0.03)
    expect((await collect(tone)).samples).to.deep.equal(samples)
  })

  it('mulberry32 gives the published sequence of seed 1', () => {
    const random = mulberry32(1)
    expect([random(), random()]).to.deep.equal([0.6270739405881613, 0.002735721180215478])
  })

  it('a node without a signal has no samples', async () => {
    expect((await collect({ source: 'none' })).samples).to.deep.equal([])
  })

  it('ends quietly on abort, also while it waits for a live stream that says nothing', async () => {
    const abort = new AbortController()
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('phase\n1\n')
      await new Promise(() => {})
    }
    const seen: number[] = []
    for await (const batch of createIngest(live, { signal: abort.signal, stdin: silent() })) {
      seen.push(batch.length)
      abort.abort()
    }
    expect(seen).to.deep.equal([1])
  })

  it('ends on abort while it paces', async () => {
    const abort = new AbortController()
    const config: SignalConfig = {
      source: 'synthetic',
      rate_hz: 1,
      omega: 1,
      speed: 0.001,
      synthetic: { shape: 'tone' },
    }
    let samples = 0
    for await (const batch of createIngest(config, { signal: abort.signal })) {
      samples += batch.length
      abort.abort()
    }
    expect(samples).to.equal(1)
  })
})

describe('coherence ingest: bad input', () => {
  const csv = (cell: string) => `phase\n1\n${cell}\n2\n`

  for (const cell of ['Infinity', '-Infinity', 'NaN', 'warm', '0x10', '', '"1,5"', '1e999', '1 2']) {
    it(`"${cell}" in a number column stops the source with the line, or is an invalid sample`, async () => {
      const text = cell === '' ? 'phase,x\n1,1\n,1\n2,1\n' : csv(cell)
      const stopped = await failure(live, text)
      expect(stopped).to.include({ code: 'E_INPUT_NUMBER' })
      expect(stopped.message).to.match(/^line 3: phase/)
      const { samples, events } = await collect({ ...live, on_bad_sample: 'invalid' }, text)
      expect(samples.map(({ time, valid }) => [time, valid])).to.deep.equal([
        [0, true],
        [0.1, false],
        [0.2, true],
      ])
      expect(events[0]).to.deep.include({ type: 'bad-sample', line: 3 })
    })
  }

  it('a time that goes backward or stands still', async () => {
    const config: SignalConfig = { source: 'stdin', time_column: 't' }
    for (const time of ['1', '0.5']) {
      const text = `t,phase\n1,0\n${time},0\n2,0\n`
      const stopped = await failure(config, text)
      expect(stopped).to.include({ code: 'E_INPUT_TIME', message: `line 3: time ${time} s does not follow 1 s` })
      const { samples } = await collect({ ...config, on_bad_sample: 'invalid' }, text)
      const state = run(createTransducer({ omega: 0, window: { tau: 1 } }), samples)
      expect([state.count, state.refused]).to.deep.equal([2, 1])
    }
  })

  it('a missing column, naming those there are, also when bad samples are let through', async () => {
    const stopped = await failure({ ...live, phase_column: 'angle', on_bad_sample: 'invalid' }, 'phase,x\n1,2\n')
    expect(stopped).to.include({ code: 'E_INPUT_COLUMN', hint: 'the columns are: phase, x' })
    expect((await failure({ ...live, time_column: 't' }, 'phase\n1\n')).code).to.equal('E_INPUT_COLUMN')
  })

  it('a row that is too short, JSON that is none, JSON of another shape', async () => {
    expect((await failure({ ...live, phase_column: 'x' }, 'phase,x\n1\n')).message).to.equal('line 2: x is empty')
    for (const line of ['{"phase":', '[1]', '7', 'null', '{"phase":NaN}']) {
      const stopped = await failure(live, `{"phase":1}\n${line}\n`)
      expect(stopped.code).to.be.oneOf(['E_INPUT_SYNTAX', 'E_INPUT_NUMBER'])
      expect(stopped.message).to.match(/^line 2: /)
    }
    expect((await failure(live, '{"phase":true}\n')).code).to.equal('E_INPUT_NUMBER')
  })

  it('a line over 64 KiB is dropped without being kept', async () => {
    const text = `phase\n1\n${'9'.repeat(200_000)}\n2\n`
    const config = { ...live, on_bad_sample: 'invalid' } as const
    expect((await failure(live, text)).message).to.match(/^line 3: longer than 65536/)
    const { samples } = await collect(config, text)
    expect(samples.map(({ valid }) => valid)).to.deep.equal([true, false, true])
    // What is held is seen only after a collection: each tenth of the 64 MB in its middle.
    const before = heldBytes()
    const held: number[] = []
    const endless = async function* () {
      yield* bytesOf('phase\n1\n')
      for (let n = 1; n <= 1000; n++) {
        yield Buffer.alloc(64 * 1024, '7')
        if (n % 100 === 0) held.push(heldBytes() - before)
      }
    }
    let count = 0
    for await (const batch of createIngest(config, { signal: new AbortController().signal, stdin: endless() }))
      count += batch.length
    expect(count).to.equal(2)
    expect(held).to.have.length(10)
    expect(Math.max(...held)).to.be.lessThan(8 * 2 ** 20)
  })

  it('a file that is not there, or is a directory', async () => {
    for (const path of ['/nonexistent/file.csv', tmpdir()]) {
      const config = { source: 'recording', path, rate_hz: 1, speed: 'max' } as const
      expect((await failure(config, '')).code).to.equal('E_INPUT_UNREADABLE')
    }
  })

  it('an empty recording cannot go round', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kairos-ingest-'))
    const path = join(dir, 'empty.csv')
    await writeFile(path, 'phase\n')
    const config = { source: 'recording', path, rate_hz: 1, speed: 'max', loop: true } as const
    expect((await failure(config, '')).code).to.equal('E_INPUT_EMPTY')
    await rm(dir, { recursive: true })
  })

  it('a configuration that cannot work is refused before anything is read', () => {
    const deps = { signal: new AbortController().signal }
    const recording = { source: 'recording', path: 'x.csv', rate_hz: 1 } as const
    for (const bad of [
      { ...recording, path: '' },
      { source: 'recording', path: 'x.csv' },
      { ...recording, rate_hz: 0 },
      { ...recording, speed: -1 },
      { ...recording, noise: -1 },
      { ...recording, gap_rate: 2 },
      { ...recording, omega: 1, period_s: 1 },
      { ...recording, period_s: 0 },
      { ...recording, column: 'temperature' },
      { ...recording, reference_column: 'q', omega: 1 },
      { ...recording, block: 24 },
      { source: 'synthetic', omega: 1 },
    ] as SignalConfig[]) {
      expect(() => createIngest(bad, deps), JSON.stringify(bad))
        .to.throw()
        .with.property('code', 'E_SIGNAL_CONFIG')
    }
    const short = { ...recording, block: 2, omega: 2 }
    expect(() => createIngest(short, deps))
      .to.throw()
      .with.property('code', 'E_WINDOW_UNDER_CYCLE')
  })
})
