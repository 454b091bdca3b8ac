import { readFile } from 'node:fs/promises'
import type { CellDocument, CellMemberRow } from '../../node/operations.ts'
import { eventually, holdPort, Stage, type RunningProcess } from './processes.ts'

/** What an API answered; `code` is that of the error, E_UNREACHABLE when nobody knows what became of the request. */
export type Answer<T> = { ok: true; data: T } | { ok: false; code: string }

export interface CallOptions {
  body?: object
  timeoutMs?: number
}

export interface JoinOptions {
  port?: number
  /** told to others in place of its own port: a way that a test can cut */
  announce?: number
  /** what the ticket gives, as options of `invite` */
  invitation?: string[]
}

interface Access {
  url: string
  token: string
}

/** A full node of the cell: its directory stays, its processes come and go. */
interface CellNode {
  process: RunningProcess | undefined
  access: Access | undefined
  peerId: string
  address: string
}

/** One cell of real processes on disks of their own, under loopback ports that stay. */
export class RealCell {
  readonly stage: Stage
  readonly #nodes = new Map<string, CellNode>()
  readonly #env: NodeJS.ProcessEnv

  private constructor(stage: Stage, env: NodeJS.ProcessEnv) {
    this.stage = stage
    this.#env = env
  }

  /** @param env - variables of its nodes, such as configuration keys */
  static async open(env: NodeJS.ProcessEnv = {}): Promise<RealCell> {
    return new RealCell(await Stage.open(), env)
  }

  /** A founder `a`, and as many that join it as make `count`: all voters. */
  static async of(count: number, ...invitation: string[]): Promise<RealCell> {
    return (await RealCell.open()).grow(count, ...invitation)
  }

  /** Founds it, and has it grow to so many voters; closed where that fails. */
  async grow(count: number, ...invitation: string[]): Promise<this> {
    try {
      await this.found('a')
      for (const name of ['b', 'c', 'd', 'e'].slice(0, count - 1)) await this.join(name, 'a', { invitation })
      await this.voters(count)
      await this.acquainted()
      return this
    } catch (error) {
      await this.close()
      throw error
    }
  }

  close(): Promise<void> {
    return this.stage.close()
  }

  /** Where it listens. */
  address(name: string): string {
    return this.#node(name).address
  }

  get names(): string[] {
    return [...this.#nodes.keys()]
  }

  get running(): string[] {
    return this.names.filter((name) => this.#node(name).process !== undefined)
  }

  peerId(name: string): string {
    return this.#node(name).peerId
  }

  nameOf(peerId: string): string | undefined {
    return this.names.find((name) => this.peerId(name) === peerId)
  }

  pid(name: string): number {
    return this.process(name).child.pid!
  }

  process(name: string): RunningProcess {
    const { process } = this.#node(name)
    if (process === undefined) throw new Error(`${name} does not run`)
    return process
  }

  async found(name: string, { port, announce }: JoinOptions = {}): Promise<void> {
    await this.stage.did(name, ['init', '--name', name, '--profile', 'test', '-q', ...(await listen(port))])
    await this.#begin(name, announce)
  }

  async join(name: string, through: string, { port, announce, invitation = [] }: JoinOptions = {}): Promise<void> {
    await this.enter(name, await this.ticket(through, ...invitation), port)
    await this.#begin(name, announce)
  }

  async ticket(issuer: string, ...options: string[]): Promise<string> {
    return (await this.stage.did(issuer, ['invite', '--role', 'full', '-q', ...options])).trim()
  }

  async enter(name: string, ticket: string, port?: number): Promise<void> {
    await this.stage.did(name, ['join', ticket, '--name', name, '--profile', 'test', '-q', ...(await listen(port))])
  }

  async run(name: string): Promise<void> {
    const process = await this.stage.run(name, [], { env: this.#env })
    await this.#started(name, process)
  }

  /** As `run`, under another program, such as one that notes what is synced. */
  async runUnder(name: string, start: () => Promise<RunningProcess>): Promise<void> {
    await this.#started(name, await start())
  }

  async #started(name: string, process: RunningProcess): Promise<void> {
    const read = async (file: string) => (await readFile(this.stage.path(name, file), 'utf8')).trim()
    const access = { url: await read('api'), token: await read('api.token') }
    // Clients ask about it by its id also in the middle of its restart.
    const { peerId: known = '', address: last = '' } = this.#nodes.get(name) ?? {}
    this.#nodes.set(name, { process, access, peerId: known, address: last })
    const { peerId, addresses } = await this.get<{ peerId: string; addresses: string[] }>(name, 'id')
    this.#nodes.set(name, { process, access, peerId, address: addresses[0]! })
  }

  /** @returns its exit code */
  async end(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const { code } = await this.process(name).stop(signal)
    this.#node(name).process = undefined
    return code
  }

  /** For a node that ended by itself. */
  async gone(name: string): Promise<{ code: number | null; stderr: string }> {
    const ended = await this.process(name).end
    this.#node(name).process = undefined
    return ended
  }

  kill(name: string): Promise<number | null> {
    return this.end(name, 'SIGKILL')
  }

  async call<T>(name: string, route: string, { body, timeoutMs = 15_000 }: CallOptions = {}): Promise<Answer<T>> {
    const { access } = this.#node(name)
    if (access === undefined) return { ok: false, code: 'E_UNREACHABLE' }
    try {
      const response = await fetch(`${access.url}/api/v1/${route}`, {
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
        headers: { authorization: `Bearer ${access.token}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
      })
      const answer = (await response.json()) as T & { error?: { code: string } }
      return response.ok ? { ok: true, data: answer } : { ok: false, code: answer.error?.code ?? 'E_UNREACHABLE' }
    } catch {
      return { ok: false, code: 'E_UNREACHABLE' }
    }
  }

  async text(name: string, route: string): Promise<string> {
    const { access } = this.#node(name)
    const headers = { authorization: `Bearer ${access?.token}` }
    return (await fetch(`${access?.url}/${route}`, { headers })).text()
  }

  async get<T>(name: string, route: string): Promise<T> {
    return expectOk(`${route} of ${name}`, await this.call<T>(name, route))
  }

  async post<T>(name: string, route: string, body: object = {}): Promise<T> {
    return expectOk(`${route} of ${name}`, await this.call<T>(name, route, { body }))
  }

  status(name: string): Promise<CellDocument> {
    return this.get<CellDocument>(name, 'cell')
  }

  async members(name: string): Promise<CellMemberRow[]> {
    return (await this.get<{ members: CellMemberRow[] }>(name, 'members')).members
  }

  /** Labels of a member, as agreed at the call. */
  async labels(name: string, of: string): Promise<Record<string, string>> {
    const row = (await this.members(name)).find(({ peerId }) => peerId === this.peerId(of))
    if (row === undefined) throw new Error(`${of} is no member`)
    return row.labels
  }

  setLabel(name: string, of: string, key: string, value: string | null, timeoutMs?: number): Promise<Answer<object>> {
    const body = { peer: this.peerId(of), key, value }
    return this.call(name, 'members/label', timeoutMs === undefined ? { body } : { body, timeoutMs })
  }

  /** Waits until all that run agree on one leader that runs too. */
  leader(timeoutMs = 30_000): Promise<string> {
    return eventually(
      'one leader',
      async () => {
        const seen = await Promise.all(this.running.map((name) => this.call<CellDocument>(name, 'cell')))
        const leaders = new Set(seen.map((answer) => (answer.ok ? answer.data.leader : null)))
        const [peerId] = leaders
        if (leaders.size !== 1 || typeof peerId !== 'string') return undefined
        const name = this.nameOf(peerId)
        return name !== undefined && this.running.includes(name) && name
      },
      timeoutMs,
    )
  }

  /** Waits until all that run count so many voters and nobody else. */
  voters(count: number): Promise<true> {
    return eventually(`${count} voters`, async () => {
      const seen = await Promise.all(this.running.map((name) => this.call<CellDocument>(name, 'cell')))
      return seen.every(
        (answer) => answer.ok && answer.data.voters.length === count && answer.data.learners.length === 0,
      )
    })
  }

  /** Waits until each that runs is connected to all others that run. */
  acquainted(): Promise<true> {
    return eventually('all are connected with all', async () => {
      const seen = await Promise.all(
        this.running.map((name) => this.call<{ peers: { connected: number } }>(name, 'status')),
      )
      return seen.every((answer) => answer.ok && answer.data.peers.connected === this.running.length - 1)
    })
  }

  async #begin(name: string, announce: number | undefined): Promise<void> {
    const settings = announce === undefined ? {} : { 'network.announce': `/ip4/127.0.0.1/tcp/${announce}` }
    for (const [key, value] of Object.entries(settings)) await this.stage.did(name, ['config', 'set', key, value])
    await this.run(name)
  }

  #node(name: string): CellNode {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`there is no ${name}`)
    return node
  }
}

export async function freePort(): Promise<number> {
  const { port, release } = await holdPort(0)
  await release()
  return port
}

async function listen(port: number | undefined): Promise<string[]> {
  return ['--listen', `/ip4/127.0.0.1/tcp/${port ?? (await freePort())}`]
}

function expectOk<T>(what: string, answer: Answer<T>): T {
  if (answer.ok) return answer.data
  throw new Error(`${what}: ${answer.code}`)
}
