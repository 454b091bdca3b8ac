import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { Stage } from '../helpers/processes.ts'
import { quantile, type Figure } from './figure.ts'

const STARTS = 5
const IDLE_MS = 20_000
const KIB_PER_MB = 1e6 / 1024

/** One node as a person runs it: `node node/bin.js run`, a full one in a mesh of one, a light one beside it. */
export async function benchNode(): Promise<Figure[]> {
  const stage = await Stage.open()
  try {
    const first = await startTimes(stage, 1, { NODE_COMPILE_CACHE: stage.path('compiled') })
    const later = await startTimes(stage, STARTS)
    const full = await stage.run('full')
    const light = await joined(stage)
    await delay(IDLE_MS)
    const [fullMb, lightMb] = await Promise.all([residentMb(full.child.pid), residentMb(light.child.pid)])
    await Promise.all([light.stop(), full.stop()])
    return [
      { name: 'process start to ready, median', value: quantile(later, 0.5), unit: 'ms', target: '≤ 2000' },
      { name: 'process start to ready, worst', value: Math.max(...later), unit: 'ms' },
      { name: 'process start to ready, nothing compiled yet', value: first[0]!, unit: 'ms' },
      { name: 'idle full node, RSS 20 s after its start', value: fullMb, unit: 'MB', target: '≤ 160' },
      { name: 'idle light node, RSS 20 s after its start', value: lightMb, unit: 'MB', target: '≤ 130' },
    ]
  } finally {
    await stage.close()
  }
}

async function startTimes(stage: Stage, count: number, env: NodeJS.ProcessEnv = {}): Promise<number[]> {
  if (count === 1) await stage.did('full', ['init', '--name', 'full', '--profile', 'test'])
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const begun = performance.now()
    const node = await stage.run('full', [], { env })
    times.push(performance.now() - begun)
    await node.stop()
  }
  return times
}

/** A light node that the running full one has invited. */
async function joined(stage: Stage): ReturnType<Stage['run']> {
  await stage.did('light', ['init', '--name', 'light', '--role', 'light', '--profile', 'test'])
  const ticket = await stage.did('full', ['invite', '--role', 'light', '-q'])
  await stage.did('light', ['join', ticket.trim()])
  return stage.run('light')
}

/** @returns MB (10⁶ bytes) of memory that the process holds now */
async function residentMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return Number(kib) / KIB_PER_MB
}
