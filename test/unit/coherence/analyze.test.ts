import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { expect } from 'chai'
import type { AnalysisResult, AnalyzeOptions } from '../../../node/coherence/index.ts'
import { analyze } from '../../../node/coherence/index.ts'
import { createIo, type Streams } from '../../../node/cli/io.ts'
import { createProgram, globalFlags } from '../../../node/cli/program.ts'
import { svgPlot, terminalPlot } from '../../../node/cli/plot.ts'
import { registerCoherenceAnalyze } from '../../../node/cli/verbs/coherence-analyze.ts'
import { bytesOf } from './feeds.ts'

const tone = (n: number, rate = 100) => Array.from({ length: n }, (_, k) => (2 * k) / rate)
const csv = (phases: number[]) => `phase\n${phases.join('\n')}\n`
const base = { file: '-', phaseColumn: 'phase', rateHz: 100, omega: 2, tauS: 0.25 } as const

function analyzed(text: string, more: Partial<AnalyzeOptions> = {}) {
  return analyze({ ...base, ...more }, { signal: new AbortController().signal, stdin: bytesOf(text, 4096) })
}

describe('coherence analyze: the library', () => {
  it('gives T after the last sample, the collapses as intervals, and the false-alarm rate', async () => {
    const half = tone(300)
    const broken = [...half, ...half.map((phase, k) => phase + 3 * k), ...tone(900).slice(600)]
    const result = await analyzed(csv(broken), { every: 100 })
    expect(result).to.include({ samples: 900, blocks: 900, omega: 2, tau: 0.25, collapsed: true, threshold: 0.95 })
    expect(result.firstCollapse).to.equal(0.91)
    expect(result.intervals).to.have.length(2)
    expect(result.intervals[0]![0]).to.equal(0.91)
    expect(result.intervals[0]![1]).to.be.within(3, 3.05)
    expect(result.intervals[1]![1]).to.equal(8.99)
    expect(result.falseAlarm).to.be.lessThan(1e-15)
    expect(result.series.map(({ n }) => n)).to.deep.equal([100, 200, 300, 400, 500, 600, 700, 800, 900])
    expect(result.warnings).to.deep.equal([])
  })

  it('with a rate every sample counts; with a time column the first only starts the clock', async () => {
    const phases = tone(200)
    const rated = await analyzed(csv(phases))
    const timed = phases.map((phase, k) => `${k / 100},${phase}`).join('\n')
    const clocked = await analyzed(`t,phase\n${timed}\n`, { rateHz: undefined, timeColumn: 't' })
    expect(rated.t[0]).to.be.closeTo(1 - Math.exp(-200 / 25), 1e-12)
    expect(clocked.t[0]).to.be.closeTo(1 - Math.exp(-199 / 25), 1e-12)
  })

  it('analyses a window under 18 samples with a warning, never as collapsed', async () => {
    const result = await analyzed(csv(tone(200)), { tauS: undefined, window: 10 })
    expect(result.magnitudeSquared).to.be.closeTo(1, 1e-9)
    expect(result).to.deep.include({ nEff: 10, tau: null, collapsed: false, firstCollapse: null, intervals: [] })
    expect(result.falseAlarm).to.be.closeTo(8.2e-4, 1e-5)
    expect(result.warnings[0]).to.match(/10\.0 effective samples, under 18/)
  })

  it('keeps the series short however long the input, and its last point', async () => {
    const { series } = await analyzed(csv(tone(10_001)))
    expect(series.length).to.be.within(200, 402)
    expect(series.at(-1)!.n).to.equal(10_001)
  })

  it('tau_max collapses a coherent input at tau_max', async () => {
    const { firstCollapse } = await analyzed(csv(tone(400)), { tauS: undefined, tauMaxS: 2 })
    expect(firstCollapse).to.be.closeTo(2, 0.011)
  })

  it('AUTO needs no ω; a reference column none either', async () => {
    const auto = await analyzed(csv(tone(400)), { form: 'auto', lag: 3, omega: undefined })
    expect(auto.magnitudeSquared).to.be.closeTo(1, 1e-5)
    const pair = tone(400).map((phase) => `${phase},${phase + 1}`)
    const referred = await analyzed(`phase,q\n${pair.join('\n')}\n`, { referenceColumn: 'q', omega: undefined })
    expect(Math.atan2(referred.t[1], referred.t[0])).to.be.closeTo(1, 1e-9)
  })

  it('counts what it let through', async () => {
    const { warnings } = await analyzed('phase\n1\nx\n2\n', { onBadSample: 'invalid' })
    expect(warnings).to.deep.equal(['1 bad samples were taken as invalid'])
  })

  it('refuses options that do not go together, an empty input, and an abort', async () => {
    const code = (more: Partial<AnalyzeOptions>, text = csv(tone(9))) =>
      analyzed(text, more).then(
        () => 'none',
        (error: { code: string }) => error.code,
      )
    for (const bad of [
      { phaseColumn: undefined },
      { column: 'phase', block: 5 },
      { phaseColumn: undefined, column: 'phase' },
      { rateHz: undefined },
      { timeColumn: 't' },
      { omega: undefined },
      { periodS: 1 },
      { tauS: undefined },
      { window: 20 },
      { lag: 2 },
      { every: 0 },
      { form: 'cyclic', referenceColumn: 'q' },
    ] as const) {
      expect(await code(bad), JSON.stringify(bad)).to.equal('E_USAGE')
    }
    expect(await code({}, 'phase\n')).to.equal('E_INPUT_EMPTY')
    expect(await code({ phaseColumn: undefined, column: 'phase', block: 400 })).to.equal('E_INPUT_EMPTY')
    const signal = AbortSignal.abort(new Error('stopped'))
    const aborted = await analyze(base, { signal, stdin: bytesOf('') }).catch((error: Error) => error.message)
    expect(aborted).to.equal('stopped')
  })
})

describe('coherence analyze: the verb', () => {
  const run = async (args: string[], input: string, tty = false) => {
    const out = { stdout: '', stderr: '' }
    const sink = (name: 'stdout' | 'stderr') =>
      Object.assign(new Writable({ write: (chunk, _, done) => void ((out[name] += String(chunk)), done()) }), {
        isTTY: tty,
      })
    const streams: Streams = {
      stdin: Readable.from([Buffer.from(input)]),
      stdout: sink('stdout'),
      stderr: sink('stderr'),
      env: {},
    }
    const program = createProgram()
    const io = createIo(streams, () => globalFlags(program), new AbortController().signal)
    registerCoherenceAnalyze(program.command('coherence'), io)
    await program.parseAsync(['coherence', 'analyze', '-', ...args], { from: 'user' })
    return out
  }
  const flags = ['--phase-column', 'phase', '--rate', '100/1', '--omega', '2', '--tau', '0.25']

  it('--json prints one document in the documented shape', async () => {
    const { stdout, stderr } = await run(['--json', ...flags, '--every', '50'], csv(tone(200)))
    const document = JSON.parse(stdout) as AnalysisResult
    const shape = 'samples blocks omega tau nEff falseAlarm t magnitudeSquared collapsed firstCollapse intervals series'
    expect(document).to.include.all.keys(shape.split(' '))
    expect(document.series.map(({ n }) => n)).to.deep.equal([50, 100, 150, 200])
    expect(stderr).to.equal('')
  })

  it('prints a table and a plot, the false-alarm rate beside each coherence, in plain text off a TTY', async () => {
    const { stdout } = await run(flags, csv(tone(400)))
    expect(stdout).to.match(/\|T\|²:.*collapsed/)
    expect(stdout.match(/false alarm/g)).to.have.length(2)
    expect(stdout).to.match(/first collapse:\s+0\.91 s/)
    expect(stdout).to.match(/[\u2801-\u28ff]/)
    expect(stdout).not.to.include('\u001b')
    expect((await run(flags, csv(tone(400)), true)).stdout).to.include('\u001b[32m')
  })

  it('warns on stderr and writes a picture', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kairos-analyze-'))
    const svg = join(dir, 'plot.svg')
    const short = ['--phase-column', 'phase', '--rate', '100', '--omega', '2', '--window', '10', '--svg', svg]
    expect((await run(short, csv(tone(50)))).stderr).to.match(/^warning: the window holds 10\.0/)
    expect(await readFile(svg, 'utf8')).to.match(/^<svg .*false alarm ≤ 0\.00082.*<\/svg>\n$/s)
    await rm(dir, { recursive: true })
  })

  it('refuses what is no number', async () => {
    const bad = run([...flags, '--threshold', 'high'], csv(tone(9))).catch((error: { code: string }) => error.code)
    expect(await bad).to.equal('commander.invalidArgument')
  })
})

describe('plots', () => {
  const rise = Array.from({ length: 50 }, (_, k) => ({ time: k, value: k / 49 }))

  it('a rise goes from the lower left to the upper right, in the width asked for', () => {
    const rows = terminalPlot(rise, { title: 'rise', threshold: 0.95, width: 40 }).split('\n')
    expect(rows[0]).to.equal('rise')
    expect(rows[1]!.length).to.equal(40)
    expect(rows[10]).to.match(/^ 0\.00┤[\u2801-\u28ff]/)
    expect(rows[1]).to.match(/╌[\u2801-\u28ff]+$/)
    expect(rows.slice(1, 13).every((row) => row.length <= 40)).to.equal(true)
  })

  it('one point, no points and values out of range do not break it', () => {
    expect(terminalPlot([], { title: '', threshold: 0.5 })).to.include('0 s')
    expect(terminalPlot([{ time: 5, value: 2 }], { title: '', threshold: 0.5 })).to.match(/[\u2801-\u28ff]/)
  })

  it('the picture escapes its title and shades the intervals', () => {
    const svg = svgPlot(rise, {
      title: 'a < b & c',
      threshold: 0.95,
      intervals: [
        [10, 20],
        [30, 49],
      ],
    })
    expect(svg).to.include('a &lt; b &amp; c')
    expect(svg.match(/#2a9d8f/g)).to.have.length(2)
    expect(svg).not.to.include('NaN')
  })
})
