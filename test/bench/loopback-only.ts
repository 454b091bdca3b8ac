import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'

const LONGEST_MS = 240_000

/** Root asks for no user namespace: some systems refuse it. With the processes' own namespace none outlives the first. */
const USER = process.getuid?.() === 0 ? [] : ['--map-root-user']
const OWN = ['--net', '--pid', '--fork', '--kill-child']
const UNSHARE = [...USER, ...OWN, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']

type Answer<T> = { result: T } | { error: string }

/** @returns why no network can be made here that has only `lo`; undefined when one can */
export function refusal(): string | undefined {
  try {
    execFileSync('unshare', [...UNSHARE, 'true'], { encoding: 'utf8', stdio: 'pipe' })
    return undefined
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    return (stderr || message).trim()
  }
}

/**
 * Runs a program where there is no network but `lo`, and no process but what it starts; all of them end with it.
 *
 * @param program - calls `answer`; its first argument is a directory of its own
 * @throws Error with what the program threw, or when it needs more than four minutes
 */
export async function onLoopbackOnly<T>(program: string, args: readonly string[]): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'k-peers-'))
  const command = [...UNSHARE, process.execPath, ...process.execArgv, program, root, ...args]
  const child = spawn('unshare', command, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const late = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS)
  try {
    return await answerOf<T>(child)
  } finally {
    // It ends with its channel, and all that it started with it.
    if (child.connected) child.disconnect()
    if (child.pid !== undefined) await (child.exitCode ?? child.signalCode ?? once(child, 'exit'))
    clearTimeout(late)
    await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** For the program: sends what `work` finds to who runs it, and ends when nobody waits any more. */
export async function answer<T>(work: () => Promise<T>): Promise<void> {
  process.once('disconnect', () => process.exit())
  const found: Answer<T> = await guarded(work).then(
    (result) => ({ result }),
    (error: unknown) => ({ error: String(error) }),
  )
  process.send?.(found)
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  if (!isLoopbackOnly(networkInterfaces())) throw new Error('there is more than loopback here')
  return work()
}

export function isLoopbackOnly(interfaces: NodeJS.Dict<{ internal: boolean }[]>): boolean {
  return Object.values(interfaces).every((addresses = []) => addresses.every(({ internal }) => internal))
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(() => [{ error: 'it ended, or was too slow, before it said anything' }])
  const [found] = (await Promise.race([once(child, 'message'), ended])) as [Answer<T>]
  if ('error' in found) throw new Error(found.error)
  return found.result
}
