import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, readFile, rename, rm } from 'node:fs/promises'
import { CodedError } from '../../protocols/shared/errors.ts'
import { writeFileDurable } from './files.ts'
import { isMissing, storageError } from './storage-error.ts'

/** Held by the one process that may use a node's directory. */
export interface Lock {
  /** Idempotent; never removes a lock of another process. */
  release(): Promise<void>
}

/**
 * Takes the lock, also from a process that has died. A pid alone is not enough to know that: it
 * is used again, so the holder's start time is compared where the system tells it. LevelDB's own
 * lock stands behind this one (processes that cannot see each other, such as two containers).
 *
 * @throws {CodedError} E_LOCKED naming the pid
 */
export async function acquireLock(file: string): Promise<Lock> {
  const own = `${process.pid} ${startOf(process.pid) ?? ''}`.trim()
  // Each turn but the last clears one dead holder; losing every race to others means somebody lives.
  for (let turn = 0; turn < 3; turn++) {
    if (await place(file, own)) return { release: () => release(file, own) }
    const held = await readLock(file)
    if (held !== undefined && isAlive(held)) throw locked(file, held)
    if (held !== undefined) await clear(file, held)
  }
  throw locked(file, (await readLock(file)) ?? '')
}

/** @returns pid of the living process that holds the lock */
export async function lockHolder(file: string): Promise<number | undefined> {
  const held = await readLock(file)
  return held !== undefined && isAlive(held) ? Number.parseInt(held, 10) : undefined
}

async function place(file: string, content: string): Promise<boolean> {
  try {
    await writeFileDurable(file, content, { exclusive: true })
    return true
  } catch (error) {
    if ((error as { cause?: NodeJS.ErrnoException }).cause?.code === 'EEXIST') return false
    throw error
  }
}

async function readLock(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw storageError(error, file)
  }
}

/** Removes a dead holder's lock; one that somebody took meanwhile is put back. */
async function clear(file: string, dead: string): Promise<void> {
  const aside = `${file}.${randomBytes(4).toString('hex')}.stale`
  try {
    await rename(file, aside)
    if ((await readFile(aside, 'utf8')) !== dead) await link(aside, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'EEXIST') throw storageError(error, file)
  } finally {
    await rm(aside, { force: true })
  }
}

async function release(file: string, own: string): Promise<void> {
  if ((await readLock(file)) === own) await rm(file, { force: true })
}

function locked(file: string, held: string): CodedError {
  const pid = Number.parseInt(held, 10)
  return new CodedError('E_LOCKED', `a node is running on this path (pid ${pid}, ${file})`, {
    hint: 'stop it with kairos stop, or choose another directory with --path',
  })
}

function isAlive(held: string): boolean {
  const [pidText = '', ...start] = held.split(' ')
  const pid = Number(pidText)
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = startOf(pid)
  return start.length === 0 || now === undefined || now === start.join(' ')
}

/**
 * When a process started, as `BOOT-ID TICKS`; a zombie has no start. Undefined where there is no
 * /proc, or not this process in it.
 */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in brackets may hold anything: count the fields behind it (proc(5): state is 3, starttime 22).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return ''
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${fields[19]}`
  } catch {
    return undefined
  }
}
