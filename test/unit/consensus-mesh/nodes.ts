import { proposerOf } from '../../../consensus/epoch/validators.ts'
import { compareBytes, equalBytes } from '../../../consensus/light/bytes.ts'
import {
  Mesh,
  type CreateEngine,
  type MeshEvents,
  type MeshOptions,
  type Pace,
  type Validator,
} from '../../../consensus/mesh/index.ts'
import { loadBft, type Bft } from '../../../wasm/bft/load.ts'
import { decodeMessage } from '../../../wasm/bft/messages.ts'
import { Disk, matches, MemoryApplication, MemoryWal, nameOf, VirtualClock } from './ports.ts'

const MESH = new Uint8Array(36).fill(7)
const LOOK_MS = 100
const NEVER = new Promise<never>(() => {})

interface Node {
  readonly number: number
  readonly seed: Uint8Array
  readonly key: Uint8Array
  readonly disk: Disk
  process: Process | undefined
  starts: number
}

/** One life of a node: what is left of it after a crash has no effect on anything. */
interface Process {
  readonly mesh: Mesh
  readonly application: MemoryApplication
  isAlive: boolean
  isFollowing: boolean
}

export interface NodesInit {
  readonly count: number
  /** numbers of those who decide a height; all when absent */
  readonly validators?: (height: number) => readonly number[]
  readonly pace?: Pace
  readonly options?: Partial<MeshOptions>
  /** instead of the engine's own signatures: these are quicker */
  readonly isQuick?: boolean
}

const loading = new Map<boolean, Promise<Bft>>()

/** Nodes with the real engine, that reach each other in 10 ms of virtual time. */
export class Nodes {
  readonly clock = new VirtualClock()
  readonly nodes: Node[]
  readonly fatal: { readonly node: number; readonly cause: unknown }[] = []
  /** what ought never to happen */
  readonly wrongs: string[] = []
  readonly requests: number[] = []
  readonly heard: string[] = []
  /** whether a message, or a block, is lost on its way */
  isLost: (from: number, to: number, what: 'message' | 'block') => boolean = () => false
  blockDelayMs = 10
  /** step of a port of a node: returns whether the process ends there */
  isCrash: (node: number, step: string) => boolean = () => false
  pace: Pace
  wrapEngine = (_node: number, create: CreateEngine) => create
  events: (node: number) => Partial<MeshEvents> = () => ({})
  readonly #init: NodesInit
  readonly #engine: Bft
  readonly #said = new Map<string, string>()

  private constructor(init: NodesInit, engine: Bft) {
    this.#init = init
    this.#engine = engine
    this.pace = init.pace ?? { epochMs: 100, idleEpochMs: 100 }
    const seeds = Array.from({ length: init.count }, (_, number) => new Uint8Array(32).fill(number + 1))
    const keyed = seeds
      .map((seed) => ({ seed, key: engine.publicKey(seed) }))
      .sort((a, b) => compareBytes(a.key, b.key))
    this.nodes = keyed.map((keys, number) => ({ ...keys, number, disk: new Disk(), process: undefined, starts: 0 }))
  }

  static async create(init: NodesInit): Promise<Nodes> {
    const isQuick = init.isQuick ?? false
    if (!loading.has(isQuick)) loading.set(isQuick, loadBft(isQuick ? { variant: 'tokens' } : {}))
    return new Nodes(init, await loading.get(isQuick)!)
  }

  startAll(): void {
    for (const { number } of this.nodes) this.start(number)
  }

  start(number: number): void {
    const node = this.nodes[number]!
    const step = (name: string) => (this.#ends(number, process, name) ? NEVER : undefined)
    const application = new MemoryApplication({
      disk: node.disk,
      step,
      validators: (height) => this.#set(height),
      name: `n${number}.${node.starts++}`,
    })
    const process = { application, isAlive: true, isFollowing: false } as Process
    const mesh = Mesh.start({
      mesh: MESH,
      seed: node.seed,
      key: node.key,
      loadEngine: async () => this.wrapEngine(number, this.#engine),
      decode: decodeMessage,
      proposerOf,
      matches,
      pace: () => this.pace,
      wal: new MemoryWal(node.disk, step),
      application,
      transport: this.#transport(number, process),
      clock: this.#clockOf(process),
      events: {
        ...this.events(number),
        onFatal: (cause) => this.fatal.push({ node: number, cause }),
        onBehind: () => void this.#follow(node, process),
      },
      ...(this.#init.options === undefined ? {} : { options: this.#init.options }),
    })
    node.process = Object.assign(process, { mesh })
    this.#followWhereNoValidator(node, process)
  }

  crash(number: number): void {
    const { process } = this.nodes[number]!
    if (process !== undefined) process.isAlive = false
    this.nodes[number]!.process = undefined
  }

  async stop(): Promise<void> {
    const stops = this.nodes.map(({ process }) => process?.mesh.stop())
    await this.clock.pass(0)
    await Promise.all(stops)
  }

  heightOf(number: number): number {
    return this.nodes[number]!.disk.chain.length
  }

  /** Time passes until all of these have so many epochs. */
  async reach(height: number, numbers = this.nodes.map(({ number }) => number), ms = 60_000): Promise<void> {
    await this.clock.until(() => numbers.every((number) => this.heightOf(number) >= height), ms)
  }

  /** in round 0 */
  proposerOf(height: number): number {
    const key = proposerOf(this.#set(height), height, 0)
    return this.nodes.findIndex((node) => equalBytes(node.key, key))
  }

  /** Names of the blocks of each height, where nodes differ all of them. */
  get agreed(): string[] {
    const longest = Math.max(...this.nodes.map(({ disk }) => disk.chain.length))
    return Array.from({ length: longest }, (_, at) => {
      const names = this.nodes.flatMap(({ disk }) =>
        disk.chain[at] === undefined ? [] : [nameOf(disk.chain[at].block)],
      )
      return [...new Set(names)].join(' or ')
    })
  }

  #set(height: number): readonly Validator[] {
    const numbers = this.#init.validators?.(height) ?? this.nodes.map(({ number }) => number)
    return [...numbers].sort((a, b) => a - b).map((number) => ({ key: this.nodes[number]!.key, power: 1 }))
  }

  #ends(number: number, process: Process, step: string): boolean {
    if (process.isAlive && this.isCrash(number, step)) this.crash(number)
    return !process.isAlive
  }

  #clockOf(process: Process) {
    return {
      now: () => this.clock.now(),
      after: (ms: number, run: () => void) => this.clock.after(ms, () => process.isAlive && run()),
    }
  }

  #transport(from: number, process: Process) {
    const others = () => this.nodes.filter(({ number }) => number !== from)
    const send = (step: string, sending: () => void) => {
      if (this.#ends(from, process, step)) return
      sending()
      this.#ends(from, process, step)
    }
    return {
      publish: (height: number, bytes: Uint8Array) =>
        send('publish', () => {
          this.#check(from, height, bytes)
          const { key } = this.nodes[from]!
          for (const { number } of others())
            this.#deliver(from, number, 'message', 10, (to) => to.receive(key, height, bytes))
        }),
      publishBlock: (height: number, round: number, block: { value: Uint8Array; bytes: Uint8Array }) =>
        send('publishBlock', () => {
          const take = (to: Mesh) => void to.receiveBlock(height, round, block)
          for (const { number } of others()) this.#deliver(from, number, 'block', this.blockDelayMs, take)
        }),
      requestBlock: (height: number, value: Uint8Array) => {
        if (!process.isAlive) return
        this.requests.push(from)
        for (const { number, disk } of others()) {
          const block = disk.blocks.get(String(value))
          const take = (to: Mesh) => void to.receiveBlock(height, 0, block!)
          if (block !== undefined) this.#deliver(number, from, 'message', 20, take)
        }
      },
    }
  }

  #deliver(from: number, to: number, what: 'message' | 'block', ms: number, take: (mesh: Mesh) => void): void {
    if (this.isLost(from, to, what)) return
    this.clock.after(ms, () => {
      const { process } = this.nodes[to]!
      if (process?.isAlive === true) take(process.mesh)
    })
  }

  /** What a node says is durable, as is the block that it votes for, and it never says another thing in its place. */
  #check(from: number, height: number, bytes: Uint8Array): void {
    const { key, disk } = this.nodes[from]!
    const message = decodeMessage(bytes)
    if ((message.type !== 'vote' && message.type !== 'proposal') || !equalBytes(message.validator, key)) return
    const { round, value } = message
    const what = `${from}: ${message.type === 'vote' ? message.kind : 'proposal'} ${height}/${round}`
    this.heard.push(what)
    if (!(disk.log.get(height) ?? []).some((record) => equalBytes(record, bytes)))
      this.wrongs.push(`${what} not durable`)
    if (value !== undefined && !disk.blocks.has(String(value))) this.wrongs.push(`${what} for a block not durable`)
    const before = this.#said.get(what)
    if (before !== undefined && before !== String(bytes)) this.wrongs.push(`${what} said differently`)
    this.#said.set(what, String(bytes))
  }

  /** Takes what others have, epoch after epoch. */
  async #follow(node: Node, process: Process): Promise<void> {
    if (process.isFollowing) return
    process.isFollowing = true
    for (;;) {
      const at = node.disk.chain.length
      const other = this.nodes.find(({ number, disk }) => disk.chain.length > at && this.#reaches(number, node.number))
      if (other === undefined || !process.isAlive) break
      const { block, certificate } = other.disk.chain[at]!
      if (!(await process.mesh.synced(block, certificate))) break
    }
    process.isFollowing = false
  }

  #reaches(from: number, to: number): boolean {
    return from !== to && !this.isLost(from, to, 'message')
  }

  #followWhereNoValidator(node: Node, process: Process): void {
    const look = () => {
      if (!process.isAlive || process.mesh.status.step === 'stopped') return
      if (process.mesh.status.step === 'following') void this.#follow(node, process)
      this.clock.after(LOOK_MS, look)
    }
    this.clock.after(LOOK_MS, look)
  }
}
