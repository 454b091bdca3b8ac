import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '../helpers/processes.ts'

const run = promisify(execFile)

/** @returns undefined when there is no Kubo on the PATH */
export function kuboVersion(): string | undefined {
  try {
    return execFileSync('ipfs', ['version', '--number'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

export interface KuboSizes {
  fileBytes: number
  smallFiles: number
  smallBytes: number
}

/** Two Kubo nodes on loopback, cutting as ours do. @returns seconds that the second needs to pin what the first has */
export async function pinByKubo(sizes: KuboSizes): Promise<{ file: number; small: number }> {
  const root = await mkdtemp(join(tmpdir(), 'k-kubo-'))
  const nodes: Kubo[] = []
  try {
    await mkdir(join(root, 'd'))
    await writeFile(join(root, 'file'), randomBytes(sizes.fileBytes))
    for (let n = 0; n < sizes.smallFiles; n++)
      await writeFile(join(root, 'd', String(n)), randomBytes(sizes.smallBytes))
    for (const name of ['one', 'two']) nodes.push(await Kubo.start(join(root, name)))
    const [one, two] = nodes as [Kubo, Kubo]
    const roots = [await one.add(join(root, 'file')), await one.add(join(root, 'd'))]
    await two.ipfs('swarm', 'connect', await one.address())
    const [file, small] = [await two.pin(roots[0]!), await two.pin(roots[1]!)]
    return { file, small }
  } finally {
    await Promise.all(nodes.map((node) => node.stop()))
    await rm(root, { recursive: true, force: true })
  }
}

class Kubo {
  readonly #env: NodeJS.ProcessEnv
  readonly #daemon: ChildProcess

  private constructor(env: NodeJS.ProcessEnv, daemon: ChildProcess) {
    this.#env = env
    this.#daemon = daemon
  }

  /** The profile `test` has free ports on loopback, no bootstrap peers and no discovery. */
  static async start(path: string): Promise<Kubo> {
    const env = { ...process.env, IPFS_PATH: path, IPFS_TELEMETRY: 'off' }
    await run('ipfs', ['init', '--empty-repo', '--profile=test'], { env })
    const kubo = new Kubo(env, spawn('ipfs', ['daemon'], { env, stdio: 'ignore' }))
    await eventually('Kubo listens', () =>
      kubo.address().then(
        () => true,
        () => false,
      ),
    )
    return kubo
  }

  async ipfs(...args: string[]): Promise<string> {
    const { stdout } = await run('ipfs', args, { env: this.#env, maxBuffer: 2 ** 26 })
    return stdout.trim()
  }

  add(path: string): Promise<string> {
    return this.ipfs('add', '-r', '-Q', '--cid-version=1', '--raw-leaves', '--chunker=size-1048576', path)
  }

  async address(): Promise<string> {
    const { Addresses } = JSON.parse(await this.ipfs('id')) as { Addresses: string[] | null }
    const address = Addresses?.find((one) => one.startsWith('/ip4/127.0.0.1/tcp/'))
    if (address === undefined) throw new Error('it listens nowhere')
    return address
  }

  /** @returns seconds */
  async pin(cid: string): Promise<number> {
    const began = performance.now()
    await this.ipfs('pin', 'add', '--progress=false', cid)
    return (performance.now() - began) / 1000
  }

  async stop(): Promise<void> {
    this.#daemon.kill('SIGKILL')
    await (this.#daemon.exitCode ?? this.#daemon.signalCode ?? once(this.#daemon, 'exit'))
  }
}
