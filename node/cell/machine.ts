import { CID } from 'multiformats/cid'
import type { Applied, CommittedEntry, Configuration, SnapshotMeta, StateMachine } from '../../consensus/cell/index.ts'
import {
  applyEntries,
  blocks,
  configurationOf,
  entries,
  fromSorted,
  initialState,
  load,
  root,
  stateOf,
  type Block,
  type State,
  type Tree,
} from '../../consensus/state/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { SnapshotBlocks } from './block-store.ts'
import { Mirror, type Changes } from './mirror.ts'
import type { StateEntry, StateStore } from './state-store.ts'

export type { Changes }

const BLOCK_BATCH = 512

/** The agreed state in memory, mirrored on disk a little later, and its snapshots as blocks. */
export class CellMachine implements StateMachine {
  readonly #store: StateStore
  readonly #mirror: Mirror
  readonly #blocks: SnapshotBlocks
  readonly #onChanges: (changes: Changes) => void
  #state: State
  /** CIDs of the last snapshot's blocks: what is unchanged is not written again */
  #known = new Set<string>()

  private constructor(init: MachineInit, state: State) {
    this.#store = init.state
    this.#mirror = new Mirror(init.state)
    this.#blocks = init.blocks
    this.#onChanges = init.onChanges
    this.#state = state
  }

  /** @throws {CodedError} E_CELL_STATE_CORRUPT, E_STATE_FORMAT */
  static async open(init: MachineInit): Promise<CellMachine> {
    const { state } = init
    if (state.applied === 0) return new CellMachine(init, initialState())
    const stored: StateEntry[] = []
    for await (const entry of state.load()) stored.push(entry)
    return new CellMachine(init, stateOf(fromSorted(stored)))
  }

  get tree(): Tree {
    return this.#state.tree
  }

  get applied(): number {
    return this.#state.applied.index
  }

  get configuration(): Configuration {
    return configurationOf(this.#state.tree)
  }

  /** The newest index at which all members compare their states; 0 before the first. */
  get markedIndex(): number {
    return this.#state.marks.at(-1)?.index ?? 0
  }

  /** The state's root there, as others must have it. */
  markedRoot(): Uint8Array {
    return root(this.#state.marks.at(-1)!.tree).bytes
  }

  async apply(
    committed: readonly CommittedEntry[],
    configured: ReadonlyMap<number, Configuration>,
  ): Promise<readonly Applied[]> {
    const batch = applyEntries(this.#state, committed, configured)
    if (batch.halt !== undefined) throw halted(batch.halt, batch.state.applied.index + 1)
    const { tree, applied } = batch.state
    // What a cell begins with is not the change of any entry: the mirror takes it with the first.
    const changes = this.#mirror.isEmpty ? entries(tree) : batch.changes
    await this.#mirror.push({ applied: applied.index, configuration: configurationOf(tree) }, changes)
    this.#state = batch.state
    this.#onChanges(batch.changes)
    return batch.applied
  }

  async snapshot(): Promise<{ index: number; root: Uint8Array }> {
    const { tree, applied } = this.#state
    const cid = root(tree)
    const release = await this.#blocks.hold()
    try {
      await this.#mirror.settled()
      await this.#store.flush()
      this.#known = await this.#write(tree)
      await this.#blocks.keep({ index: applied.index, root: cid })
    } finally {
      release()
    }
    await this.#blocks.sweep()
    return { index: applied.index, root: cid.bytes }
  }

  async install({ index, root: bytes }: SnapshotMeta): Promise<void> {
    const cid = CID.decode(bytes)
    const tree = await load(cid, async (link) => (await this.#blocks.get(link)) ?? missing(link))
    const state = stateOf(tree)
    if (state.applied.index !== index) {
      throw new CodedError('E_STATE_DIVERGED', `the snapshot of index ${index} holds a state of ${state.applied.index}`)
    }
    await this.#mirror.settled()
    await this.#store.replaceAll({ applied: index, configuration: configurationOf(tree) }, sorted(tree))
    await this.#blocks.keep({ index, root: cid })
    this.#known = new Set()
    this.#state = state
    this.#onChanges(new Map(entries(tree)))
  }

  /** Resolves when the disk has all that was applied. @throws what a write has failed with */
  async close(): Promise<void> {
    await this.#mirror.settled()
  }

  /** Children first: who has a block has everything below it. @returns the CIDs of the whole tree */
  async #write(tree: Tree): Promise<Set<string>> {
    const all = new Set<string>()
    let batch: Block[] = []
    for (const block of blocks(tree)) {
      const name = block.cid.toString()
      all.add(name)
      if (!this.#known.has(name)) batch.push(block)
      if (batch.length < BLOCK_BATCH) continue
      await this.#blocks.put(batch)
      batch = []
    }
    if (batch.length > 0) await this.#blocks.put(batch)
    return all
  }
}

export interface MachineInit {
  state: StateStore
  blocks: SnapshotBlocks
  /** Of each turn: keys with their new values, null for what is gone. */
  onChanges: (changes: Changes) => void
}

function* sorted(tree: Tree): Generator<StateEntry> {
  yield* entries(tree)
}

function halted(code: string, index: number): CodedError {
  return new CodedError(code, `this node cannot apply entry ${index} of its cell as the others do, and stops`, {
    hint:
      code === 'E_COMMAND_VERSION'
        ? 'install the release that the other members run'
        : 'keep the store for a report, and let the node rejoin with an empty one',
  })
}

function missing(cid: CID): never {
  throw new CodedError('E_CELL_BLOCK_MISSING', `block ${cid.toString()} of a snapshot is not here`, {
    hint: 'the cell gives it again at the next offer',
  })
}
