import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { CellWriters } from './cell-writers.ts'
import type { RealCell } from './cell.ts'
import { BIN, cleanEnv } from './kairos.ts'
import { LONGEST_START_MS, pidOf } from './processes.ts'

const CALLS = 'write,pwrite64,fsync,fdatasync,rename,unlink'
const WRITES = 30

/** strace notes what a process writes and syncs; without it nobody knows what a power cut would take. */
export function canCutPower(): boolean {
  return spawnSync('strace', ['-qq', '-e', 'trace=fsync', 'true']).status === 0
}

/** Starts all nodes, lets them serve, and takes the power of all at once. @returns bytes that were not synced and are gone */
export async function cutPower(cell: RealCell, writers: CellWriters): Promise<number> {
  const trace = (name: string) => cell.stage.path(`${name}.trace`)
  await Promise.all(cell.names.map((name) => cell.runUnder(name, () => startTraced(cell, name, trace(name)))))
  await writers.serves(WRITES)
  const pids = await Promise.all(cell.names.map((name) => pidOf(cell.stage.path(name))))
  for (const pid of pids) process.kill(pid!, 'SIGKILL')
  await Promise.all(cell.names.map((name) => cell.gone(name)))
  let gone = 0
  for (const name of cell.names)
    gone += await keepSynced(cell.stage.path(name, 'cell'), await readFile(trace(name), 'latin1'))
  return gone
}

export async function startTraced(cell: RealCell, name: string, trace: string) {
  const traced = [process.execPath, BIN, '--path', cell.stage.path(name), 'run']
  const options = [
    '-f',
    '-y',
    '--seccomp-bpf',
    '-qq',
    '-s',
    '200',
    '-e',
    `trace=${CALLS}`,
    '-e',
    'signal=none',
    '-o',
    trace,
  ]
  const child: ChildProcessWithoutNullStreams = spawn('strace', [...options, ...traced], { env: cleanEnv() })
  child.stdin.end()
  const running = cell.stage.watch(child)
  let said = ''
  child.stderr.on('data', (chunk) => (said += String(chunk)))
  await running.until(`${name} is ready`, () => said.includes('ready: '), LONGEST_START_MS)
  return running
}

/** What was written to a file since it was made, and how much of it a sync had taken in. */
interface Written {
  bytes: number
  synced: number
}

/** Cuts the files that were written since the start down to what was synced. @returns bytes that are gone */
async function keepSynced(directory: string, trace: string): Promise<number> {
  let gone = 0
  const files = writtenFiles(trace)
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    const written = files.get(file)
    const size = entry.isFile() && written !== undefined ? (await stat(file)).size : 0
    if (written === undefined || size <= written.synced) continue
    await truncate(file, written.synced)
    gone += size - written.synced
  }
  return gone
}

/** LevelDB only appends. A sync counts what was written before it began, once it has ended. */
export function writtenFiles(trace: string): Map<string, Written> {
  const files = new Map<string, Written>()
  const begun = new Map<string, { call: string; before: number }>()
  for (const line of trace.split('\n')) {
    const [, thread, rest] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (thread === undefined || rest === undefined) continue
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest)
    const call = resumed === null ? rest : `${begun.get(thread)?.call ?? ''}${resumed[2]}`
    const file = /^\w+\(\d+<([^>]*)>/.exec(call)?.[1]
    const before = resumed === null ? (files.get(file ?? '')?.bytes ?? 0) : (begun.get(thread)?.before ?? 0)
    if (call.endsWith('<unfinished ...>'))
      begun.set(thread, { call: call.slice(0, -'<unfinished ...>'.length), before })
    else note(files, { call, file, before })
  }
  return files
}

function note(
  files: Map<string, Written>,
  { call, file, before }: { call: string; file: string | undefined; before: number },
) {
  const result = Number(/= (-?\d+)[^=]*$/.exec(call)?.[1] ?? -1)
  if (result < 0) return
  const renamed = /^rename\("([^"]*)"\.*, "([^"]*)"/.exec(call)
  if (renamed !== null) return void move(files, renamed[1]!, renamed[2]!)
  if (file === undefined) return
  const written = files.get(file) ?? { bytes: 0, synced: 0 }
  files.set(file, written)
  if (/^p?write/.test(call)) written.bytes += result
  else written.synced = Math.max(written.synced, before)
}

function move(files: Map<string, Written>, from: string, to: string): void {
  const written = files.get(from)
  files.delete(from)
  if (written === undefined) files.delete(to)
  else files.set(to, written)
}
