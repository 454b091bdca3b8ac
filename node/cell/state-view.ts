import type { Mark, Tree } from '../../consensus/state/index.ts'
import type { Cell } from '../../consensus/cell/index.ts'
import type { Commands, Request } from './commands.ts'
import type { CellMachine } from './machine.ts'
import type { CellState } from './types.ts'
import { READ_TIMEOUT_MS } from './verbs.ts'

export interface StateViewInit {
  machine: () => CellMachine
  /** Undefined while this node has no raft id. */
  cell: () => Cell | undefined
  /** @throws {CodedError} the reason why this node takes no part */
  running: () => { cell: Cell; commands: Commands }
}

/** The agreed state as other services of the node see it. */
export class StateView implements CellState {
  readonly #init: StateViewInit
  readonly #listeners = new Set<Listener>()

  constructor(init: StateViewInit) {
    this.#init = init
  }

  get tree(): Tree {
    return this.#init.machine().tree
  }

  get applied(): number {
    return this.#init.machine().applied
  }

  get isLeader(): boolean {
    return this.#init.cell()?.status.role === 'leader'
  }

  /** The state that the cell's last attestation speaks of, where it was applied here. */
  get attested(): Mark | undefined {
    return this.#init.machine().attested
  }

  async read(): Promise<void> {
    await this.#init.running().cell.read(READ_TIMEOUT_MS)
  }

  async submit(request: Request): Promise<unknown> {
    return this.#init.running().commands.submit(request)
  }

  subscribe(onChanged: Listener['onChanged'], onReplaced: () => void): () => void {
    const listener = { onChanged, onReplaced }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(keys: readonly string[]): void {
    for (const { onChanged } of this.#listeners) onChanged(keys)
  }

  tellReplaced(): void {
    for (const { onReplaced } of this.#listeners) onReplaced()
  }
}

interface Listener {
  onChanged: (keys: readonly string[]) => void
  onReplaced: () => void
}
