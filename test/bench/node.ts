import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Figure } from './figure.ts'

const BIN = fileURLToPath(new URL('../../node/bin.js', import.meta.url))
const RUNS = 3
/** After its start a node is left alone for this long before its memory is read. */
const IDLE_MS = 20_000

/** A node as a user starts it: time until it says that it is ready, and what it keeps when nothing happens. */
export async function benchNode(): Promise<Figure[]> {
  const path = await mkdtemp(join(tmpdir(), 'kairos-bench-'))
  try {
    await kairos(path, 'init', '--name', 'bench', '--profile', 'test')
    const runs: { readyMs: number; rss: number }[] = []
    for (let run = 0; run < RUNS; run++) runs.push(await measure(path, run === RUNS - 1))
    const ready = runs.map(({ readyMs }) => readyMs).sort((a, b) => a - b)[Math.floor(RUNS / 2)]!
    return [
      { name: 'one node: process start to ready', value: ready / 1000, unit: 's', target: '≤ 2' },
      { name: 'one node, full: idle RSS', value: runs.at(-1)!.rss, unit: 'MB', target: '≤ 130' },
    ]
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

async function measure(path: string, idle: boolean): Promise<{ readyMs: number; rss: number }> {
  const started = performance.now()
  const child = spawn(process.execPath, [BIN, '--path', path, 'run', '--json'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  try {
    await once(child.stdout, 'data')
    const readyMs = performance.now() - started
    if (idle) await delay(IDLE_MS)
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
    return { readyMs, rss: (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024) / 1e6 }
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

async function kairos(path: string, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [BIN, '--path', path, ...args], { stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`kairos ${args.join(' ')}: exit ${code}`)
}
