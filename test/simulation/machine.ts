import type { CommittedEntry, Configuration, Entry, SnapshotMeta } from '../../consensus/cell/engine.ts'
import type { Applied, StateMachine } from '../../consensus/cell/ports.ts'
import { type Agreed, agreedAfter, agreedRoot, agreedStart, withoutSessions } from './agreed.ts'
import { type Command, commandId, decodeCommand } from './commands.ts'

const LEAST_MEMBERS = 3

/** Registers and the results of all commands so far, by id. */
export interface State {
  readonly index: number
  readonly configuration: Configuration
  readonly registers: ReadonlyMap<number, number>
  readonly results: ReadonlyMap<string, number>
  /** raft ids that were ever told to join, and whether they still are to be members */
  readonly members: ReadonlyMap<number, boolean>
  /** in some schedules */
  readonly agreed: Agreed | undefined
}

/** States by root, as the blocks on a node's disk. */
export type Blocks = Map<string, State>

export interface MachinePorts {
  readonly after: (ms: number, run: () => void) => void
  readonly flushMs: () => number
  /** told of each command that takes effect, and of the entry that carried it */
  readonly effect: (id: string, index: number) => void
  /** told of the product's own state after each turn, and of what it did that it must not */
  readonly agreed: (index: number, root: string, wrong: string | undefined) => void
}

/** What of a machine outlives a crash: a state, and the entries applied since whose transaction was synced. */
export interface MachineImage {
  base: State
  readonly journal: CommittedEntry[]
  readonly configured: Map<number, Configuration>
  durable: number
}

/** The fast state machine of the simulation: registers in memory, durable behind what it has applied. */
export class Registers implements StateMachine {
  readonly image: MachineImage
  readonly blocks: Blocks
  dedupe = true
  /** of the snapshots that this machine took, by index */
  readonly roots = new Map<number, string>()
  #state: Mutable
  readonly #ports: MachinePorts
  #flushing = false
  #wrong: string | undefined

  constructor(image: MachineImage, blocks: Blocks, ports: MachinePorts) {
    this.image = image
    this.blocks = blocks
    this.#ports = ports
    this.#state = copy(image.base)
    const lost = image.journal.findIndex(({ index }) => index > image.durable)
    if (lost >= 0) image.journal.length = lost
    for (const entry of image.journal) this.#one(entry, image.configured.get(entry.index), false)
  }

  get applied(): number {
    return this.#state.index
  }

  get configuration(): Configuration {
    return this.#state.configuration
  }

  get registers(): ReadonlyMap<number, number> {
    return this.#state.registers
  }

  get results(): ReadonlyMap<string, number> {
    return this.#state.results
  }

  async apply(
    entries: readonly CommittedEntry[],
    configured: ReadonlyMap<number, Configuration>,
  ): Promise<readonly Applied[]> {
    const applied = entries.map((entry) => {
      const configuration = configured.get(entry.index)
      this.image.journal.push(entry)
      if (configuration !== undefined) this.image.configured.set(entry.index, configuration)
      return this.#one(entry, configuration, true)
    })
    this.#flushLater()
    const { index, agreed } = this.#state
    if (agreed !== undefined) this.#ports.agreed(index, keyOf(agreedRoot(agreed)), this.#wrong)
    return applied
  }

  snapshot(): Promise<{ readonly index: number; readonly root: Uint8Array }> {
    const state = copy(this.#state)
    const root = rootOf(state)
    this.roots.set(state.index, keyOf(root))
    return new Promise((resolve) => {
      this.#ports.after(this.#ports.flushMs(), () => {
        this.blocks.set(keyOf(root), state)
        this.image.durable = Math.max(this.image.durable, state.index)
        resolve({ index: state.index, root })
      })
    })
  }

  install(meta: SnapshotMeta): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ports.after(this.#ports.flushMs(), () => {
        const state = this.blocks.get(keyOf(meta.root))
        if (state === undefined) return reject(new Error(`no blocks of the state at ${meta.index}`))
        // One root is of all indexes that changed nothing.
        const installed = { ...state, index: meta.index, configuration: meta.configuration }
        rebase(this.image, installed)
        this.#state = copy(installed)
        resolve()
      })
    })
  }

  get members(): ReadonlyMap<number, boolean> {
    return this.#state.members
  }

  /** for a mutant */
  forgetResults(): void {
    this.#state.results.clear()
  }

  /** for a mutant */
  forgetSessions(): void {
    const { agreed } = this.#state
    if (agreed !== undefined) this.#state.agreed = withoutSessions(agreed)
  }

  /** for a mutant */
  tamper(by: number): void {
    const value = this.#state.registers.get(0)
    if (value !== undefined && value % 20 === 0) this.#state.registers.set(0, value + by)
  }

  root(): Uint8Array {
    return rootOf(this.#state)
  }

  #one(entry: Entry, configuration: Configuration | undefined, fresh: boolean): Applied {
    this.#state.index = entry.index
    if (configuration !== undefined) this.#state.configuration = configuration
    if (entry.kind === 'change' || entry.data.length === 0) {
      this.#agree(entry, configuration)
      return { index: entry.index, commandId: undefined, result: undefined }
    }
    const command = decodeCommand(entry.data)
    const id = commandId(command)
    this.#agree(entry, configuration, { command, isRepeated: this.#state.results.has(id) })
    const before = this.dedupe ? this.#state.results.get(id) : undefined
    if (before !== undefined) return { index: entry.index, commandId: id, result: before }
    const result = this.#perform(command)
    this.#state.results.set(id, result)
    if (fresh) this.#ports.effect(id, entry.index)
    return { index: entry.index, commandId: id, result }
  }

  #agree(entry: Entry, configuration: Configuration | undefined, told?: Parameters<typeof agreedAfter>[3]): void {
    if (this.#state.agreed === undefined) return
    const { agreed, wrong } = agreedAfter(this.#state.agreed, entry, configuration, told)
    this.#state.agreed = agreed
    this.#wrong ??= wrong
  }

  #perform({ kind, key, value, expected }: Command): number {
    const { registers, members } = this.#state
    const held = registers.get(key) ?? 0
    if (kind === 'get') return held
    if (kind === 'join' || kind === 'leave') return reform(members, kind, value)
    if (kind === 'cas' && held !== expected) return 0
    registers.set(key, value)
    return 1
  }

  #flushLater(): void {
    if (this.#flushing) return
    this.#flushing = true
    const through = this.#state.index
    this.#ports.after(this.#ports.flushMs(), () => {
      this.#flushing = false
      this.image.durable = Math.max(this.image.durable, through)
      if (this.#state.index > through) this.#flushLater()
    })
  }
}

export function machineImage(base: State): MachineImage {
  return { base, journal: [], configured: new Map(), durable: base.index }
}

export function rebase(image: MachineImage, state: State): void {
  image.base = state
  image.journal.length = 0
  image.configured.clear()
  image.durable = state.index
}

/** @param isAgreed - whether the product's own state is kept, too */
export function initialState(index: number, configuration: Configuration, isAgreed: boolean): State {
  const members = new Map(configuration.voters.map((id) => [id, true]))
  const agreed = isAgreed ? agreedStart(configuration) : undefined
  return { index, configuration, registers: new Map(), results: new Map(), members, agreed }
}

/** Equal states have equal roots. Where the product's own state is kept, it is that one's, which tells indexes apart. */
export function rootOf(state: Contents): Uint8Array {
  return state.agreed === undefined ? quickRoot(state) : agreedRoot(state.agreed)
}

/** FNV-1a in two halves, for nobody here looks for collisions. */
function quickRoot({ registers, results, members }: Contents): Uint8Array {
  const canonical = JSON.stringify([registers, results, members].map((map) => [...map].sort(byKey)))
  let [low, high] = [0x811c9dc5, 0x1b873593]
  for (let at = 0; at < canonical.length; at++) {
    low = Math.imul(low ^ canonical.charCodeAt(at), 0x01000193)
    high = Math.imul(high ^ low, 0x85ebca6b)
  }
  const root = new Uint8Array(8)
  new DataView(root.buffer).setInt32(0, low)
  new DataView(root.buffer).setInt32(4, high)
  return root
}

export function keyOf(root: Uint8Array): string {
  return Buffer.from(root).toString('hex')
}

type Contents = Pick<State, 'registers' | 'results' | 'members' | 'agreed'>

interface Mutable {
  index: number
  configuration: Configuration
  readonly registers: Map<number, number>
  readonly results: Map<string, number>
  readonly members: Map<number, boolean>
  agreed: Agreed | undefined
}

function copy({ index, configuration, registers, results, members, agreed }: State): Mutable {
  return {
    index,
    configuration,
    registers: new Map(registers),
    results: new Map(results),
    members: new Map(members),
    agreed,
  }
}

/** A raft id is used once; a cell of this few keeps them. */
function reform(members: Map<number, boolean>, kind: 'join' | 'leave', id: number): number {
  const live = [...members.values()].filter(Boolean).length
  if (kind === 'join' ? members.has(id) : members.get(id) !== true || live <= LEAST_MEMBERS) return 0
  members.set(id, kind === 'join')
  return 1
}

function byKey([a]: readonly [number | string, unknown], [b]: readonly [number | string, unknown]): number {
  return a < b ? -1 : 1
}
