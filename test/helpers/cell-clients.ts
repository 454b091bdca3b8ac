import { checkLinearizable, type Operation } from '../simulation/linearizability.ts'
import type { CellMemberRow } from '../../node/operations.ts'
import type { Answer, RealCell } from './cell.ts'
import { eventually } from './processes.ts'

const REGISTERS = 4
/** Longer than an election: who waits for an answer no longer calls it unknown and goes on. */
const PATIENCE_MS = 4_000
/** These say that nothing was done. */
const NOTHING_DONE = new Set(['E_NO_QUORUM', 'E_CELL_BUSY'])

/** Clients that set and read labels of one member through all nodes, and the history of what they were told. */
export class CellClients {
  readonly #cell: RealCell
  /** whose labels are the registers, whatever becomes of its process */
  readonly #holder: string
  readonly #history: Operation[] = []
  #moment = 0
  #value = 0
  #isOver = false
  #tasks: Promise<void>[] = []

  constructor(cell: RealCell) {
    this.#cell = cell
    this.#holder = cell.names[0]!
  }

  start(count: number): void {
    this.#tasks = Array.from({ length: count }, (_, client) => this.#run(client))
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#tasks)
  }

  /** Waits for so many more answers to reads and to writes. */
  async serves(count: number): Promise<void> {
    const before = this.answered
    await eventually(`${count} more answers of each kind`, () => {
      const { gets, sets } = this.answered
      return gets >= before.gets + count && sets >= before.sets + count
    })
  }

  get answered(): { gets: number; sets: number } {
    const done = this.#history.filter(({ returned }) => returned !== undefined)
    const gets = done.filter(({ kind }) => kind === 'get').length
    return { gets, sets: done.length - gets }
  }

  get verdict(): ReturnType<typeof checkLinearizable> {
    return checkLinearizable(this.#history)
  }

  async #run(client: number): Promise<void> {
    const { names } = this.#cell
    for (let turn = client; !this.#isOver; turn++) {
      const node = names[turn % names.length]!
      const key = Math.floor(Math.random() * REGISTERS)
      if (Math.random() < 0.5) await this.#set(client, node, key)
      else await this.#get(client, node, key)
      // Without it a client that is refused at once would do nothing but be refused.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async #set(client: number, node: string, key: number): Promise<void> {
    const value = ++this.#value
    const operation = this.#call(client, key, 'set', value)
    const answer = await this.#cell.setLabel(node, this.#holder, `r${key}`, String(value), PATIENCE_MS)
    this.#settle(operation, answer, () => 1)
  }

  async #get(client: number, node: string, key: number): Promise<void> {
    const operation = this.#call(client, key, 'get', 0)
    const answer = await this.#cell.call<{ members: CellMemberRow[] }>(node, 'members', { timeoutMs: PATIENCE_MS })
    const first = this.#cell.peerId(this.#holder)
    this.#settle(operation, answer, ({ members }) =>
      Number(members.find(({ peerId }) => peerId === first)?.labels[`r${key}`] ?? 0),
    )
  }

  #call(client: number, key: number, kind: 'get' | 'set', value: number): Operation {
    const called = ++this.#moment
    const id = `${kind}-${called}`
    return { client, id, key, kind, value, expected: 0, called, returned: undefined, result: undefined }
  }

  #settle<T>(operation: Operation, answer: Answer<T>, resultOf: (data: T) => number): void {
    if (!answer.ok && NOTHING_DONE.has(answer.code)) return
    if (answer.ok) {
      operation.returned = ++this.#moment
      operation.result = resultOf(answer.data)
    }
    this.#history.push(operation)
  }
}
