import { setTimeout as delay } from 'node:timers/promises'
import { setImmediate as turn } from 'node:timers/promises'
import {
  Cell,
  type CellOptions,
  type Clock,
  type CommittedEntry,
  type Configuration,
  type CreateEngine,
  type DesiredMember,
  type EngineInput,
  type Entry,
  type Log,
  type LogStart,
  type LogWrite,
  type SnapshotMeta,
  type StateMachine,
} from '../../../consensus/cell/index.ts'
import { loadRaft } from '../../../wasm/raft/load.ts'

const NOBODY: Configuration = { voters: [], learners: [], votersOutgoing: [], learnersNext: [] }
const text = new TextDecoder()

/** A log that is durable a turn of the loop later. */
export class MemoryLog implements Log {
  start: LogStart
  writes = 0
  failing: Error | undefined
  /** a read resolves with it */
  reading: Promise<void> | undefined
  isRead = false

  constructor(snapshot: SnapshotMeta) {
    this.start = { hardState: { term: snapshot.term, vote: 0, commit: snapshot.index }, snapshot, entries: [] }
  }

  async read(): Promise<LogStart> {
    this.isRead = this.reading !== undefined
    await this.reading
    return this.start
  }

  async append({ entries, hardState, snapshot }: LogWrite): Promise<void> {
    await turn()
    if (this.failing !== undefined) throw this.failing
    this.writes += 1
    const first = entries[0]?.index ?? Infinity
    const after = snapshot?.index ?? this.start.snapshot.index
    const log = this.start.entries as Entry[]
    while ((log.at(-1)?.index ?? 0) >= first) log.pop()
    log.push(...entries)
    this.start = {
      hardState: hardState ?? this.start.hardState,
      snapshot: snapshot ?? this.start.snapshot,
      entries: snapshot === undefined ? log : log.filter(({ index }) => index > after),
    }
  }
}

/** Keeps the texts it applied, each `id:value` once. */
export class MemoryMachine implements StateMachine {
  applied: number
  configuration: Configuration
  values: string[] = []
  isApplying = false
  /** a turn takes as long */
  applying: Promise<void> | undefined
  snapshots = 0
  #seen = new Set<string>()
  readonly #shared: Map<string, string[]>

  constructor(meta: SnapshotMeta, shared: Map<string, string[]>) {
    this.applied = meta.index
    this.configuration = meta.configuration
    this.#shared = shared
  }

  async apply(entries: readonly CommittedEntry[], configured: ReadonlyMap<number, Configuration>) {
    this.isApplying = true
    await (this.applying ?? turn())
    this.isApplying = false
    return entries.map(({ index, data }) => {
      if (index !== this.applied + 1) throw new Error(`applied ${index} after ${this.applied}`)
      this.applied = index
      this.configuration = configured.get(index) ?? this.configuration
      const command = text.decode(data)
      const commandId = command.includes(':') ? command.split(':')[0] : undefined
      if (commandId !== undefined && !this.#seen.has(command)) {
        this.#seen.add(command)
        this.values.push(command)
      }
      return { index, commandId, result: command }
    })
  }

  async snapshot() {
    this.snapshots += 1
    const [index, values] = [this.applied, [...this.values]]
    await turn()
    const root = `${index}/${values.length}`
    this.#shared.set(root, values)
    return { index, root: new TextEncoder().encode(root) }
  }

  async install({ index, configuration, root }: SnapshotMeta) {
    await turn()
    this.values = [...this.#shared.get(text.decode(root))!]
    this.#seen = new Set(this.values)
    this.applied = index
    this.configuration = configuration
  }
}

const clock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    if (ms === 0) {
      const immediate = setImmediate(run)
      return () => clearImmediate(immediate)
    }
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** Members in one process, in memory, that reach each other at once. */
export class Members {
  readonly cells = new Map<number, Cell>()
  readonly logs = new Map<number, MemoryLog>()
  readonly machines = new Map<number, MemoryMachine>()
  readonly fatal = new Map<number, unknown>()
  readonly traps: unknown[] = []
  readonly cut = new Set<number>()
  /** to whom snapshots were offered */
  readonly offers: number[] = []
  losesOffers = false
  /** one way, of every message */
  delayMs = 0
  desired: DesiredMember[]
  readonly #roots = new Map<string, string[]>([['first', []]])
  readonly #options: Partial<CellOptions>
  readonly #founders: number[]

  constructor(founders: number[], options: Partial<CellOptions> = {}) {
    this.#founders = founders
    this.#options = { tickMs: 5, retryMs: 200, ...options }
    this.desired = founders.map((id) => ({ id, isRemoved: false }))
  }

  async start(id: number, changes: Partial<Parameters<typeof Cell.start>[0]> = {}): Promise<Cell> {
    const isFounder = this.#founders.includes(id)
    const configuration = isFounder ? { ...NOBODY, voters: this.#founders } : NOBODY
    const meta = isFounder
      ? { index: 1, term: 1, configuration, root: new TextEncoder().encode('first') }
      : { index: 0, term: 0, configuration, root: new Uint8Array() }
    const log = this.logs.get(id) ?? new MemoryLog(meta)
    this.logs.set(id, log)
    const machine = new MemoryMachine(meta, this.#roots)
    this.machines.set(id, machine)
    const cell = await Cell.start({
      id,
      loadEngine: () => loadRaft(),
      log,
      machine,
      clock,
      transport: {
        send: (to, message, snapshot) => {
          if (snapshot !== undefined) this.offers.push(to)
          if (snapshot === undefined || !this.losesOffers) this.#send(id, to, message, snapshot)
        },
      },
      seed: id,
      nonce: Uint8Array.of(id, 0, 0, 0, 0, 0, 0, this.cells.size),
      desired: () => this.desired,
      events: {
        onFatal: (cause) => this.fatal.set(id, cause),
        onTrap: (cause) => this.traps.push(cause),
      },
      options: this.#options,
      ...changes,
    })
    this.cells.set(id, cell)
    return cell
  }

  async startAll(): Promise<void> {
    for (const id of this.#founders) await this.start(id)
  }

  leader(): Cell | undefined {
    return [...this.cells].find(([id, { status }]) => status.role === 'leader' && !this.cut.has(id))?.[1]
  }

  async stop(): Promise<void> {
    await Promise.all([...this.cells.values()].map((cell) => cell.stop()))
  }

  #send(from: number, to: number, message: Uint8Array, snapshot: SnapshotMeta | undefined): void {
    const copy = { from, bytes: message.slice(), snapshot }
    clock.after(this.delayMs, () => {
      if (!this.cut.has(from) && !this.cut.has(to)) this.cells.get(to)?.receive([copy])
    })
  }
}

/**
 * The engine, with a look at each input before it takes it; what the look throws is a trap.
 *
 * @param counted - told 1 of each engine that is made, -1 of each that is given back
 */
export function engineWith(
  before: (input: EngineInput) => void,
  counted: (change: 1 | -1) => void = () => undefined,
): () => Promise<CreateEngine> {
  return async () => {
    const create = await loadRaft()
    return (start) => {
      const engine = create(start)
      counted(1)
      return {
        free: () => {
          counted(-1)
          engine.free()
        },
        input(input) {
          before(input)
          return engine.input(input)
        },
      }
    }
  }
}

/** The first value that is there, looked for again and again. */
export async function until<T>(what: () => T | undefined | false): Promise<T> {
  for (;;) {
    const value = what()
    if (value !== undefined && value !== false) return value
    await delay(2)
  }
}
