import { performance } from 'node:perf_hooks'
import { createIngest, createSync, createTransducer, mulberry32, syncStep } from '../../node/coherence/index.ts'
import { loadCoherence } from '../../wasm/index.ts'
import type { Figure, Peer, Report } from './figure.ts'
import { timeRuns } from './kernels-timing.ts'
import { benchKernels } from './kernels.ts'

const BATCH = 4096
const INGEST_SAMPLES = 500_000
const RATE_HZ = 1000

/** Speed of the operator on typed arrays, of one node's whole ingest path, and of the kernels. */
export async function benchCoherence(peers: ReadonlySet<Peer>): Promise<Report> {
  const own = await benchIngest()
  const { figures, remarks } = await benchKernels(peers)
  return { figures: [...own, ...figures], remarks }
}

async function benchIngest(): Promise<Figure[]> {
  return [
    {
      name: 'coherence operator, phases of one stream to T',
      value: await operator(),
      unit: 'samples/s',
      target: '≥ 5000000',
    },
    {
      name: 'coherence ingest, CSV text to T_sync',
      value: await ingest(csvText),
      unit: 'samples/s',
      target: '≥ 100000',
    },
    {
      name: 'coherence ingest, NDJSON text to T_sync',
      value: await ingest(ndjsonText),
      unit: 'samples/s',
      target: '≥ 100000',
    },
  ]
}

async function operator(): Promise<number> {
  const random = mulberry32(1)
  const bank = (await loadCoherence()).leakyBank({ streams: 1, maxSteps: BATCH, omega: 2, step: 1 / RATE_HZ, tau: 1 })
  const phases = Float64Array.from({ length: BATCH }, () => 2 * Math.PI * random())
  const round = () => {
    bank.phases.set(phases)
    bank.advance(BATCH)
  }
  return Math.round((1e9 * BATCH) / timeRuns({ round })['round']!)
}

/** From bytes as a pipe gives them, through lines, readings and phasors, to Master, Emissary and T_sync. */
async function ingest(text: (n: number) => string): Promise<number> {
  const bytes = Buffer.from(text(INGEST_SAMPLES))
  const half = (tauMax: number) => createTransducer({ omega: 2, step: 1 / RATE_HZ, window: { tauMax } })
  let state = createSync(half(3600), half(1))
  const started = performance.now()
  const config = { source: 'stdin', rate_hz: RATE_HZ, omega: 2 } as const
  const deps = { signal: new AbortController().signal, stdin: chunks(bytes) }
  for await (const batch of createIngest(config, deps)) {
    for (const sample of batch) state = syncStep(state, sample)
  }
  if (state.emissary.count !== INGEST_SAMPLES) throw new Error(`${state.emissary.count} samples arrived`)
  return perSecond(INGEST_SAMPLES, started)
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

function phaseAt(k: number): number {
  return (2 * k) / RATE_HZ
}

function csvText(n: number): string {
  return `phase\n${Array.from({ length: n }, (_, k) => phaseAt(k)).join('\n')}\n`
}

function ndjsonText(n: number): string {
  return `${Array.from({ length: n }, (_, k) => JSON.stringify({ phase: phaseAt(k) })).join('\n')}\n`
}

function perSecond(count: number, started: number): number {
  return Math.round((1000 * count) / (performance.now() - started))
}
