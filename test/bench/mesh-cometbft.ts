import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually, holdPort } from '../helpers/processes.ts'

const NODES = 4

export interface Blocks {
  /** between two blocks, by their own times, ms */
  intervals: number[]
  /** of a transaction, from its call to its answer out of a block, ms */
  transactions: number[]
}

/** Four CometBFT validators on loopback, on the key-value application that it brings, at its best setting. */
export class FourComets {
  readonly #root: string
  readonly #children: ChildProcess[]
  readonly #url: string

  private constructor(root: string, children: ChildProcess[], url: string) {
    this.#root = root
    this.#children = children
    this.#url = url
  }

  /** @returns undefined when there is no cometbft on the PATH */
  static version(): string | undefined {
    try {
      return execFileSync('cometbft', ['version'], { encoding: 'utf8' }).trim()
    } catch {
      return undefined
    }
  }

  static async start(): Promise<FourComets> {
    const root = await mkdtemp(join(tmpdir(), 'k-comet-'))
    const held = await Promise.all(Array.from({ length: 2 * NODES }, () => holdPort(0)))
    const ports = held.map(({ port }) => port)
    await Promise.all(held.map(({ release }) => release()))
    execFileSync('cometbft', ['testnet', '--v', String(NODES), '--o', root, '--starting-ip-address', '127.0.0.1'])
    const homes = Array.from({ length: NODES }, (_, n) => join(root, `node${n}`))
    const ids = homes.map((home) => execFileSync('cometbft', ['show-node-id', '--home', home], { encoding: 'utf8' }))
    const peers = ids.map((id, n) => `${id.trim()}@127.0.0.1:${ports[n]}`)
    for (const [n, home] of homes.entries()) await configure(home, { n, ports, peers })
    const children = homes.map((home) => spawn('cometbft', ['start', '--home', home], { stdio: 'ignore' }))
    const comets = new FourComets(root, children, `http://127.0.0.1:${ports[NODES]}`)
    await eventually('CometBFT makes blocks', async () => (await comets.#height().catch(() => 0)) >= 3)
    return comets
  }

  /** Some blocks at full pace, then transactions one after the other. */
  async measure(forMs: number, transactions: number): Promise<Blocks> {
    const from = await this.#height()
    await delay(forMs)
    const to = await this.#height()
    const times: number[] = []
    for (let height = from; height <= to; height++) times.push(await this.#time(height))
    const intervals = times.slice(1).map((time, i) => time - times[i]!)
    const taken: number[] = []
    for (let n = 0; n < transactions; n++) {
      const began = performance.now()
      await this.#ask(`broadcast_tx_commit?tx="k${n}=${n}"`)
      taken.push(performance.now() - began)
    }
    return { intervals, transactions: taken }
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all(this.#children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
    await rm(this.#root, { recursive: true, force: true })
  }

  async #height(): Promise<number> {
    const { sync_info } = (await this.#ask('status')) as { sync_info: { latest_block_height: string } }
    return Number(sync_info.latest_block_height)
  }

  async #time(height: number): Promise<number> {
    const { block } = (await this.#ask(`block?height=${height}`)) as { block: { header: { time: string } } }
    return Date.parse(block.header.time)
  }

  async #ask(path: string): Promise<unknown> {
    const answer = (await (await fetch(`${this.#url}/${path}`)).json()) as { result?: unknown; error?: unknown }
    if (answer.result === undefined) throw new Error(`CometBFT: ${JSON.stringify(answer.error)}`)
    return answer.result
  }
}

interface Place {
  n: number
  ports: readonly number[]
  peers: readonly string[]
}

/** No pause between blocks, and gossip that sleeps 5 ms: what was fastest of what it offers. */
async function configure(home: string, { n, ports, peers }: Place): Promise<void> {
  const file = join(home, 'config/config.toml')
  const values: [key: RegExp, value: string][] = [
    [/^proxy_app = .*$/m, 'proxy_app = "kvstore"'],
    [/^laddr = "tcp:\/\/127.0.0.1:26657"$/m, `laddr = "tcp://127.0.0.1:${ports[NODES + n]}"`],
    [/^laddr = "tcp:\/\/0.0.0.0:26656"$/m, `laddr = "tcp://127.0.0.1:${ports[n]}"`],
    [/^persistent_peers = .*$/m, `persistent_peers = "${peers.filter((_, other) => other !== n).join(',')}"`],
    [/^timeout_commit = .*$/m, 'timeout_commit = "0s"'],
    [/^peer_gossip_sleep_duration = .*$/m, 'peer_gossip_sleep_duration = "5ms"'],
    [/^allow_duplicate_ip = .*$/m, 'allow_duplicate_ip = true'],
    [/^addr_book_strict = .*$/m, 'addr_book_strict = false'],
    [/^pprof_laddr = .*$/m, 'pprof_laddr = ""'],
  ]
  let text = await readFile(file, 'utf8')
  for (const [key, value] of values) {
    if (!key.test(text)) throw new Error(`CometBFT's configuration has no ${key.source}`)
    text = text.replace(key, value)
  }
  await writeFile(file, text)
}
