import { CID } from 'multiformats/cid'
import type { Applied, CommittedEntry, Configuration, SnapshotMeta, StateMachine } from '../../consensus/cell/index.ts'
import {
  applyEntries,
  blocks,
  configurationOf,
  entries,
  initialState,
  load,
  root,
  stateOf,
  type Batch,
  type Block,
  type Halt,
  type Mark,
  type State,
  type Tree,
} from '../../consensus/state/index.ts'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import { isBroken, type SnapshotBlocks } from './block-store.ts'
import { haltOf } from './halt.ts'
import { REJOIN_HINT } from './log-records.ts'
import { Mirror, type Changes } from './mirror.ts'
import type { StateStore } from './state-store.ts'

export type { Changes }

/** Of the blocks that one batch writes. */
const BATCH_BYTES = 1_048_576
/** From when a leader's snapshot is here until it is installed, at the longest: one turn of the log and the state. */
const OFFER_MS = 600_000

/** The agreed state in memory, mirrored on disk a little later, and its snapshots as blocks. */
export class CellMachine implements StateMachine {
  readonly #store: StateStore
  readonly #mirror: Mirror
  readonly #blocks: SnapshotBlocks
  readonly #onChanges: (changes: Changes) => void
  readonly #onReplaced: () => void
  readonly #onDiverged: (message: string) => Promise<CodedError | undefined>
  #state: State
  /** a leader's snapshot that is fetched and waits to be installed */
  #offer: { readonly index: number; readonly release: () => void; readonly timer: NodeJS.Timeout } | undefined

  private constructor(init: MachineInit, state: State) {
    this.#store = init.state
    this.#mirror = new Mirror(init.state)
    this.#blocks = init.blocks
    this.#onChanges = init.onChanges
    this.#onReplaced = init.onReplaced
    this.#onDiverged = init.onDiverged ?? (async () => undefined)
    this.#state = state
  }

  /** @throws {CodedError} E_CELL_STATE_CORRUPT, E_STATE_FORMAT */
  static async open(init: MachineInit): Promise<CellMachine> {
    const { state } = init
    if (state.applied === 0) return new CellMachine(init, initialState())
    return new CellMachine(init, stateOf(await state.tree()))
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

  /** The state that the last attestation speaks of; undefined when its entry was not applied by this process. */
  get attested(): Mark | undefined {
    return this.#state.attested
  }

  async apply(
    committed: readonly CommittedEntry[],
    configured: ReadonlyMap<number, Configuration>,
  ): Promise<readonly Applied[]> {
    const batch = applyEntries(this.#state, committed, configured)
    if (batch.halt !== undefined) throw await this.#halted(batch, batch.halt, committed[batch.applied.length]!)
    await this.#take(batch)
    this.#onChanges(batch.changes)
    return batch.applied
  }

  async #take({ state, changes }: Batch): Promise<void> {
    const { tree, applied } = state
    // What a cell begins with is not the change of any entry: the mirror takes it with the first.
    await this.#mirror.push(applied.index, this.#mirror.isEmpty ? entries(tree) : changes)
    this.#state = state
  }

  /** What came before is kept: once the note is lifted, the next start goes on from there, past the checkpoint. */
  async #halted(batch: Batch, halt: Halt, entry: CommittedEntry): Promise<CodedError> {
    const error = haltOf(halt, entry, batch.state.marks)
    const told = halt === 'E_STATE_DIVERGED' ? await this.#onDiverged(error.message) : undefined
    if (batch.applied.length > 0) await this.#take(batch)
    await this.#mirror.settled()
    return told ?? error
  }

  async snapshot(): Promise<{ index: number; root: Uint8Array }> {
    const { tree, applied } = this.#state
    const { index } = applied
    this.#settleOffer(index)
    await this.#mirror.settled()
    await this.#store.flush()
    await this.#keep(tree, index)
    try {
      await this.#blocks.sweep()
    } catch (error) {
      if (!isBroken(error)) throw error
      // Nobody needs the damaged one any more, and blocks that it shares with this one are written again.
      await this.#keep(tree, index, 1)
      await this.#blocks.sweep()
    }
    return { index, root: root(tree).bytes }
  }

  /**
   * A leader's snapshot is here: nothing is swept before it is installed, left behind, followed by another, or refused,
   * which nobody tells but `heldMs`.
   */
  offered(index: number, release: () => void, heldMs = OFFER_MS): void {
    this.#endOffer()
    this.#offer = { index, release, timer: setTimeout(() => this.#endOffer(), heldMs).unref() }
  }

  #settleOffer(applied: number): void {
    if (this.#offer !== undefined && this.#offer.index <= applied) this.#endOffer()
  }

  #endOffer(): void {
    clearTimeout(this.#offer?.timer)
    this.#offer?.release()
    this.#offer = undefined
  }

  async install(meta: SnapshotMeta): Promise<void> {
    const release = await this.#blocks.hold()
    try {
      await this.#install(meta)
    } finally {
      release()
    }
    this.#settleOffer(meta.index)
  }

  async #install({ index, root: bytes }: SnapshotMeta): Promise<void> {
    const cid = CID.decode(bytes)
    const tree = await load(cid, async (link) => (await this.#blocks.get(link)) ?? missing(link)).catch(unlessBroken)
    const state = stateOf(tree)
    if (state.applied.index !== index) {
      throw new CodedError('E_STATE_DIVERGED', `the snapshot of index ${index} holds a state of ${state.applied.index}`)
    }
    await this.#mirror.settled()
    await this.#store.replaceAll(index, entries(tree))
    await this.#blocks.keep({ index, root: cid })
    this.#state = state
    this.#onReplaced()
  }

  /** Resolves when the disk has all that was applied. @throws what a write has failed with */
  async close(): Promise<void> {
    await this.#mirror.settled()
  }

  async #keep(tree: Tree, index: number, most?: 1): Promise<void> {
    const release = await this.#blocks.hold()
    try {
      await this.#write(tree)
      await this.#blocks.keep({ index, root: root(tree) }, most)
    } finally {
      release()
    }
  }

  /** What a kept snapshot has is not written again. */
  async #write(tree: Tree): Promise<void> {
    let batch: Block[] = []
    let bytes = 0
    for (const block of blocks(tree, await this.#blocks.known())) {
      batch.push(block)
      bytes += block.bytes.byteLength
      if (bytes < BATCH_BYTES) continue
      await this.#blocks.put(batch)
      batch = []
      bytes = 0
    }
    if (batch.length > 0) await this.#blocks.put(batch)
  }
}

export interface MachineInit {
  state: StateStore
  blocks: SnapshotBlocks
  /** Of each turn: keys with their new values, null for what is gone. */
  onChanges: (changes: Changes) => void
  /** A leader's state took the place of this one: anything may have changed, and be gone. */
  onReplaced: () => void
  /** Makes a note of it that outlives this process. @returns what to stop with */
  onDiverged?: (message: string) => Promise<CodedError>
}

function missing(cid: CID): never {
  throw new CodedError('E_CELL_BLOCK_MISSING', `block ${cid.toString()} of a snapshot is not here`)
}

/** The log counts on this snapshot, and its own state is behind it: under this id the node has no way on. */
function unlessBroken(error: unknown): never {
  if (!isBroken(error)) throw error
  throw new CodedError(codeOf(error), `the state of the cell cannot be read here: ${messageOf(error)}`, {
    hint: REJOIN_HINT,
    cause: error,
  })
}
