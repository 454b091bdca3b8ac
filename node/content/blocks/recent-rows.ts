import type { Row } from './row.ts'

const MAX_ROWS = 1024

/**
 * Rows of packed blocks that were made durable a moment ago: who puts such a block again (a pin does, to be sure of it)
 * need not ask the database. Of files nobody can be sure without a look: somebody may remove them by hand.
 */
export class RecentRows {
  readonly #rows = new Map<string, Row>()

  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  /** Once the row and its block are on disk. */
  set(key: string, row: Row): void {
    this.#rows.delete(key)
    if (!row.packed) return
    this.#rows.set(key, row)
    if (this.#rows.size <= MAX_ROWS) return
    for (const oldest of this.#rows.keys()) {
      this.#rows.delete(oldest)
      return
    }
  }

  /** Before either goes. */
  delete(key: string): void {
    this.#rows.delete(key)
  }
}
