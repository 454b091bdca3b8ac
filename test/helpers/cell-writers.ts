import type { RealCell } from './cell.ts'
import { eventually } from './processes.ts'

// Eight writers share the labels that one member may have.
const KEYS_PER_WRITER = 8
const PATIENCE_MS = 4_000
const PAUSE_MS = 2

/** Values of one key only grow: what is read is at least the last that was acknowledged, at most the last that was tried. */
interface Written {
  acknowledged: number
  tried: number
}

/** Writers that each set labels of their own, through all nodes, and know what was acknowledged. */
export class CellWriters {
  readonly #cell: RealCell
  readonly #keys = new Map<string, Written>()
  #isOver = false
  #tasks: Promise<void>[] = []
  /** acknowledged writes that began after the last `mark` */
  #since = { began: 0, count: 0, firstMs: Infinity }
  acknowledged = 0

  constructor(cell: RealCell) {
    this.#cell = cell
  }

  start(count: number): this {
    this.#tasks = Array.from({ length: count }, (_, writer) => this.#run(writer))
    return this
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#tasks)
  }

  /** Waits for so many acknowledgements of writes that begin from now on. @returns milliseconds until the first */
  async serves(count: number): Promise<number> {
    const since = { began: performance.now(), count: 0, firstMs: Infinity }
    this.#since = since
    await eventually(`${count} acknowledged writes`, () => since.count >= count)
    return since.firstMs
  }

  /** @returns what was acknowledged before the call and is not there, or was never written; read at `node` */
  async lost(node: string): Promise<string[]> {
    const before = [...this.#keys].map(([key, { acknowledged }]) => [key, acknowledged] as const)
    const labels = await eventually(`labels at ${node}`, () =>
      this.#cell.labels(node, this.#cell.names[0]!).catch(() => undefined),
    )
    return before.flatMap(([key, acknowledged]) => {
      const value = Number(labels[key] ?? 0)
      const isSound = value >= acknowledged && value <= this.#keys.get(key)!.tried
      return isSound ? [] : [`${key}: ${value}, but ${acknowledged} was acknowledged`]
    })
  }

  async #run(writer: number): Promise<void> {
    const [first] = this.#cell.names
    for (let value = 1; !this.#isOver; value++) {
      const key = `w${writer}.${value % KEYS_PER_WRITER}`
      const written = this.#keys.get(key) ?? { acknowledged: 0, tried: 0 }
      this.#keys.set(key, written)
      written.tried = value
      const began = performance.now()
      const { names } = this.#cell
      const node = names[(writer + value) % names.length]!
      const answer = await this.#cell.setLabel(node, first!, key, String(value), PATIENCE_MS)
      if (answer.ok) this.#note(written, value, began)
      else await new Promise((resolve) => setTimeout(resolve, 20))
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  #note(written: Written, value: number, began: number): void {
    written.acknowledged = value
    this.acknowledged++
    if (began < this.#since.began) return
    this.#since.count++
    this.#since.firstMs = Math.min(this.#since.firstMs, performance.now() - this.#since.began)
  }
}
