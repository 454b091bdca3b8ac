import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { CID } from 'multiformats/cid'
import { collect } from '../../node/content/blocks/index.ts'
import { openBlockStore } from './blocks.ts'
import { writtenFiles } from './cell-power.ts'

const WRITER = new URL('./block-writer.ts', import.meta.url).pathname
const CALLS = 'write,pwrite64,fsync,fdatasync,rename,unlink'

export interface Acknowledged {
  held: Set<string>
  deleted: Set<string>
}

/** Lets a process put and delete blocks, and kills it after `lines` acknowledgements. */
export async function writeUntilKilled(path: string, lines: number, trace?: string): Promise<Acknowledged> {
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', WRITER, path]
  const strace = ['strace', '-f', '-y', '-qq', '-s', '200', '-e', `trace=${CALLS}`, '-e', 'signal=none', '-o', trace!]
  const [program, ...args] = trace === undefined ? command : [...strace, ...command]
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const acknowledged: Acknowledged = { held: new Set(), deleted: new Set() }
  let count = 0
  for await (const line of createInterface(child.stdout)) {
    const cid = line.slice(1)
    if (line.startsWith('+')) acknowledged.held.add(cid)
    else acknowledged.held.delete(cid)
    if (line.startsWith('-')) acknowledged.deleted.add(cid)
    // Its own group: strace and what it traces end together.
    if (++count === lines) process.kill(-child.pid!, 'SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return acknowledged
}

/**
 * What a power cut leaves: of each file what was synced, and of blocks only those whose place in
 * their directory was synced after they got it.
 *
 * @returns bytes that are gone
 */
export async function keepSynced(path: string, trace: string): Promise<number> {
  const text = await readFile(trace, 'latin1')
  const written = writtenFiles(text)
  const unplaced = unplacedFiles(text)
  let gone = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const { size } = await stat(file)
    const synced = unplaced.has(file) ? 0 : (written.get(file)?.synced ?? size)
    if (synced >= size) continue
    gone += size - synced
    if (unplaced.has(file)) await rm(file)
    else await truncate(file, synced)
  }
  return gone
}

/** Blocks that were renamed, and no sync of their directory that began later has ended. */
function unplacedFiles(trace: string): Set<string> {
  const waiting = new Map<string, Set<string>>()
  const begun = new Map<string, { call: string; names: string[] }>()
  for (const line of trace.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const before = begun.get(thread)
    const call = resumed === null ? rest : `${before?.call ?? ''}${resumed[1]}`
    const directory = /^fsync\(\d+<([^>]*)>/.exec(call)?.[1]
    const names = resumed === null ? [...(waiting.get(directory ?? '') ?? [])] : (before?.names ?? [])
    if (call.endsWith('<unfinished ...>')) {
      begun.set(thread, { call: call.slice(0, -'<unfinished ...>'.length), names })
      continue
    }
    if (!call.endsWith('= 0')) continue
    for (const name of names) waiting.get(directory!)?.delete(name)
    const to = /^rename\("[^"]*"\.*, "([^"]*)"/.exec(call)?.[1]
    if (to !== undefined) waiting.set(dirname(to), (waiting.get(dirname(to)) ?? new Set()).add(to))
  }
  return new Set([...waiting.values()].flatMap((names) => [...names]).filter((name) => name.endsWith('.data')))
}

/** @returns what is wrong with the store after what was acknowledged; empty when nothing is */
export async function losses(path: string, { held, deleted }: Acknowledged): Promise<string[]> {
  const wrong: string[] = []
  const store = await openBlockStore(path, { onDamaged: (cid) => wrong.push(`damaged ${cid}`) })
  for (const cid of held) if (!(await store.has(CID.parse(cid)))) wrong.push(`lost ${cid}`)
  for (const cid of deleted) if (await store.has(CID.parse(cid))) wrong.push(`back again ${cid}`)
  // What was never acknowledged may be there, but whole; the end of it waits for files without rows.
  await store.close()
  const again = await openBlockStore(path, { onDamaged: (cid) => wrong.push(`damaged ${cid}`) })
  const all: { cid: CID; bytes: number }[] = []
  for await (const { cid, bytes } of again.getAll()) all.push({ cid, bytes: (await collect(bytes)).byteLength })
  const total = all.reduce((sum, { bytes }) => sum + bytes, 0)
  if (total !== (await again.usedBytes())) wrong.push(`counts ${await again.usedBytes()} of ${total} bytes`)
  if (all.length !== (await again.count())) wrong.push(`counts ${await again.count()} of ${all.length} blocks`)
  await again.close()
  return wrong
}
