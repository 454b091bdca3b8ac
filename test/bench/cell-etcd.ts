import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, holdPort } from '../helpers/processes.ts'
import { post, VALUE, type Write } from './cell-load.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Three etcd processes on loopback, asked over their own HTTP gateway by the client that asks our nodes. */
export class ThreeEtcds {
  readonly #root: string
  readonly #children: ChildProcess[]
  readonly #urls: string[]

  private constructor(root: string, children: ChildProcess[], urls: string[]) {
    this.#root = root
    this.#children = children
    this.#urls = urls
  }

  /** @returns undefined when there is no etcd on the PATH */
  static version(): string | undefined {
    try {
      return /etcd Version: (\S+)/.exec(execFileSync('etcd', ['--version'], { encoding: 'utf8' }))?.[1]
    } catch {
      return undefined
    }
  }

  static async start(): Promise<ThreeEtcds> {
    const root = await mkdtemp(join(tmpdir(), 'k-etcd-'))
    const ports = await Promise.all(Array.from({ length: 6 }, () => holdPort(0)))
    await Promise.all(ports.map(({ release }) => release()))
    const url = (at: number) => `http://127.0.0.1:${ports[at]!.port}`
    const cluster = [0, 1, 2].map((n) => `n${n}=${url(n)}`).join(',')
    const children = [0, 1, 2].map((n) => {
      const peer = ['--listen-peer-urls', url(n), '--initial-advertise-peer-urls', url(n)]
      const client = ['--listen-client-urls', url(3 + n), '--advertise-client-urls', url(3 + n)]
      const start = ['--name', `n${n}`, '--data-dir', join(root, `n${n}`), '--initial-cluster', cluster]
      return spawn('etcd', [...start, ...peer, ...client], { stdio: 'ignore' })
    })
    const etcds = new ThreeEtcds(root, children, [3, 4, 5].map(url))
    await eventually('etcd takes writes', () =>
      etcds
        .writer()('first')
        .then(
          () => true,
          () => false,
        ),
    )
    return etcds
  }

  /** To the leader, as ours. */
  writer(url = this.#urls[0]!): Write {
    return (key) => post(`${url}/v3/kv/put`, { key: base64(key), value: base64(VALUE) })
  }

  async leaderWriter(): Promise<Write> {
    for (const url of this.#urls) {
      const answer = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' })
      const { header, leader } = (await answer.json()) as { header: { member_id: string }; leader: string }
      if (header.member_id === leader) return this.writer(url)
    }
    return this.writer()
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all(this.#children.map((child) => child.exitCode ?? once(child, 'exit')))
    await rm(this.#root, { recursive: true, force: true })
  }
}
