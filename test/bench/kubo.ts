import { execFile, execFileSync, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
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

/** A Kubo with a disk of its own. It ends with the namespace that it is started in. */
export class Kubo {
  readonly apiAddress: string
  readonly #env: NodeJS.ProcessEnv

  private constructor(env: NodeJS.ProcessEnv, apiAddress: string) {
    this.#env = env
    this.apiAddress = apiAddress
  }

  /** The profile `test` takes free ports on loopback, no bootstrap peers and no discovery. */
  static async start(path: string): Promise<Kubo> {
    const env = { ...process.env, IPFS_PATH: path, IPFS_TELEMETRY: 'off' }
    await run('ipfs', ['init', '--empty-repo', '--profile=test'], { env })
    spawn('ipfs', ['daemon'], { env, stdio: 'ignore' })
    return eventually('Kubo listens', async () => {
      // A command would take the lock of a repository whose daemon is only about to.
      const address = (await readFile(join(path, 'api'), 'utf8').catch(() => '')).trim()
      const kubo = new Kubo(env, address)
      const isUp = address !== '' && (await kubo.address().catch(() => undefined)) !== undefined
      return isUp && kubo
    })
  }

  /** Cuts as ours do, and pins. @returns CID of the file or directory */
  add(path: string): Promise<string> {
    return this.#ipfs('add', '-r', '-Q', '--cid-version=1', '--raw-leaves', '--chunker=size-1048576', path)
  }

  /** @returns CIDs of files that it has, and does not pin */
  async addEach(paths: readonly string[]): Promise<string[]> {
    const text = await this.#ipfs('add', '-q', '--pin=false', '--cid-version=1', '--raw-leaves', ...paths)
    return text.split('\n')
  }

  async connect(other: Kubo): Promise<void> {
    await this.#call('swarm/connect', await other.address())
  }

  /** Answers when it has all blocks. */
  async pin(cid: string): Promise<void> {
    await this.#call('pin/add', cid)
  }

  async address(): Promise<string> {
    const { Addresses } = JSON.parse(await this.#call('id')) as { Addresses: string[] | null }
    const address = Addresses?.find((one) => one.startsWith('/ip4/127.0.0.1/tcp/'))
    if (address === undefined) throw new Error('Kubo listens nowhere')
    return address
  }

  async #call(command: string, ...args: string[]): Promise<string> {
    const query = new URLSearchParams(args.map((arg): [string, string] => ['arg', arg]))
    const response = await fetch(`${urlOf(this.apiAddress)}/api/v0/${command}?${query}`, { method: 'POST' })
    const text = await response.text()
    if (!response.ok) throw new Error(`Kubo, ${command}: ${text.slice(0, 300)}`)
    return text
  }

  async #ipfs(...args: string[]): Promise<string> {
    const { stdout } = await run('ipfs', args, { env: this.#env, maxBuffer: 2 ** 26 })
    return stdout.trim()
  }
}

/** @param address - such as `/ip4/127.0.0.1/tcp/5001` */
export function urlOf(address: string): string {
  const [, , host, , port] = address.split('/')
  return `http://${host}:${port}`
}
