import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ended, startKairos, type Ended, type RunOptions } from './kairos.ts'

const POLL_MS = 100
/** A start takes seconds of the processor, and a minute or more where forty processes share two cores. */
export const LONGEST_START_MS = 180_000
const LONGEST_WAIT_MS = 30_000
const LONGEST_COMMAND_MS = 20_000

/** A node in its own process. */
export interface RunningProcess {
  child: ChildProcess
  /** Settles when the process has ended, with all that it printed. */
  end: Promise<Ended>
  stop(signal?: NodeJS.Signals): Promise<Ended>
  /** As `eventually`, but gives up when the process has ended. */
  until: typeof eventually
}

/** A directory and the processes of one test; `close` ends what still runs and removes the directory. */
export class Stage {
  readonly #root: string
  readonly #children = new Set<ChildProcess>()

  private constructor(root: string) {
    this.#root = root
  }

  static async open(): Promise<Stage> {
    return new Stage(await mkdtemp(join(tmpdir(), 'k-')))
  }

  path(...names: string[]): string {
    return join(this.#root, ...names)
  }

  /** One command on the directory of one node; one that does not end is killed, which its exit code null tells. */
  async kairos(node: string, args: string[], options: RunOptions = {}): Promise<Ended> {
    const child = startKairos(['--path', this.path(node), ...args], options)
    child.stdin.end(options.input)
    const late = setTimeout(() => child.kill('SIGKILL'), LONGEST_COMMAND_MS)
    return this.watch(child).end.finally(() => clearTimeout(late))
  }

  /** As `kairos`, for a command that must succeed; @returns its stdout */
  async did(node: string, args: string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.kairos(node, args, options)
    if (code !== 0) throw new Error(`kairos ${args.join(' ')} on ${node}: exit ${code}\n${stderr}`)
    return stdout
  }

  async json<T>(node: string, args: string[]): Promise<T> {
    return JSON.parse(await this.did(node, [...args, '--json'])) as T
  }

  /** Runs a node and waits until it says that it is ready. */
  async run(node: string, args: string[] = [], options: RunOptions & { keepStdin?: true } = {}) {
    const child = startKairos(['--path', this.path(node), 'run', ...args], options)
    const process = this.watch(child)
    if (options.keepStdin !== true) child.stdin.end(options.input)
    const isReady = new Promise<'ready'>((resolve) => {
      child.stderr.on('data', (chunk) => String(chunk).includes('ready: ') && resolve('ready'))
    })
    const late = delay(LONGEST_START_MS, 'late' as const, { ref: false })
    const first = await Promise.race([isReady, process.end, late])
    if (first === 'ready') return { ...process, stdin: child.stdin }
    throw new Error(`${node} did not start: ${first === 'late' ? 'too slow' : first.stderr}`)
  }

  watch(child: ReturnType<typeof startKairos>): RunningProcess {
    this.#children.add(child)
    const end = ended(child)
    const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
      child.kill(signal)
      return end
    }
    const until: typeof eventually = (what, look, timeoutMs) => {
      const lost = end.then(({ code, stderr }) => Promise.reject(new Error(`${what}: ended with ${code}\n${stderr}`)))
      return Promise.race([eventually(what, look, timeoutMs), lost])
    }
    return { child, end, stop, until }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children].map((child) => kill(child)))
    // Nodes of a killed launcher may still be at their last write.
    await rm(this.#root, { recursive: true, force: true, maxRetries: 10, retryDelay: POLL_MS })
  }
}

/** Ends a process and, when it was started as the leader of a group, all that came of it. */
async function kill(child: ChildProcess): Promise<void> {
  const isOver = child.exitCode !== null || child.signalCode !== null
  const gone = isOver ? undefined : new Promise((resolve) => child.once('exit', resolve))
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // No group, or an empty one.
  }
  child.kill('SIGKILL')
  await gone
}

/** Polls until `look` gives something other than undefined and false; fails saying what it waited for. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = LONGEST_WAIT_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await delay(POLL_MS)
  }
}

/** A document of the node that runs on `path`; undefined while it cannot be asked. */
export async function document<T>(path: string, route: string): Promise<T | undefined> {
  try {
    const url = (await readFile(join(path, 'api'), 'utf8')).trim()
    const token = (await readFile(join(path, 'api.token'), 'utf8')).trim()
    const response = await fetch(`${url}/api/v1/${route}`, { headers: { authorization: `Bearer ${token}` } })
    return response.ok ? ((await response.json()) as T) : undefined
  } catch {
    return undefined
  }
}

/** The pid in a node's lock file. */
export async function pidOf(path: string): Promise<number | undefined> {
  const text = await readFile(join(path, 'lock'), 'utf8').catch(() => '')
  return /^\d+/.test(text) ? Number.parseInt(text, 10) : undefined
}

/** A process that has ended but was not collected yet (a zombie) does not run. */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  return stat !== '' && stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
}

/** Listens on a port, so that nobody else can; @returns the port, taken or not, and its release */
export async function holdPort(wanted: number): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer()
  const isHeld = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(wanted, '127.0.0.1', () => resolve(true))
  })
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : wanted
  return { port, release: async () => (isHeld ? new Promise((resolve) => server.close(() => resolve())) : undefined) }
}
