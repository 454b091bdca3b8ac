import type { Key, Range, Sublevel, Write } from '../../node/storage/sublevel.ts'

/** What is on a disk that is not there: it outlives every crash of those who use it. */
export type Rows = Map<string, Uint8Array>

export class Crashed extends Error {
  override name = 'Crashed'
}

/** Ends a process after so many steps of its disk. */
export class Fuse {
  /** Steps that were taken. */
  steps = 0
  readonly #atStep: number
  readonly #isLastWritten: boolean
  #isGone = false

  /** @param isLastWritten - whether the step that saw the end is on disk, too, though nobody was told */
  constructor(atStep = Infinity, isLastWritten = false) {
    this.#atStep = atStep
    this.#isLastWritten = isLastWritten
  }

  check(): void {
    if (this.#isGone) throw new Crashed('the process is gone')
  }

  step(write: () => void): void {
    this.check()
    this.#isGone = this.steps >= this.#atStep
    if (!this.#isGone || this.#isLastWritten) write()
    this.steps++
    this.check()
  }
}

/** A sublevel in memory: atomic batches in order, reads as of the time of the call. */
export class MemorySublevel implements Sublevel {
  readonly name = 'memory'
  readonly #rows: Rows
  readonly #fuse: Fuse
  /** Batches that were written. */
  batches = 0

  constructor(rows: Rows = new Map(), fuse = new Fuse()) {
    this.#rows = rows
    this.#fuse = fuse
  }

  async get(key: Key): Promise<Uint8Array | undefined> {
    this.#fuse.check()
    return this.#rows.get(textOf(key))?.slice()
  }

  async has(key: Key): Promise<boolean> {
    this.#fuse.check()
    return this.#rows.has(textOf(key))
  }

  put(key: Key, value: Uint8Array): Promise<void> {
    return this.batch([{ type: 'put', key, value }])
  }

  del(key: Key): Promise<void> {
    return this.batch([{ type: 'del', key }])
  }

  async batch(writes: Write[]): Promise<void> {
    if (writes.length === 0) return
    this.#fuse.step(() => this.#write(writes))
    this.batches++
  }

  async *entries(range: Range = {}): AsyncGenerator<[Uint8Array, Uint8Array]> {
    this.#fuse.check()
    for (const [key, value] of this.#within(range)) yield [Buffer.from(key, 'latin1'), value.slice()]
  }

  async *keys(range: Range = {}): AsyncGenerator<Uint8Array> {
    for await (const [key] of this.entries(range)) yield key
  }

  #write(writes: Write[]): void {
    for (const write of writes) {
      if (write.type === 'put') this.#rows.set(textOf(write.key), write.value.slice())
      else this.#rows.delete(textOf(write.key))
    }
  }

  #within({ gt, gte, lt, lte, limit }: Range): [string, Uint8Array][] {
    const isWithin = (key: string): boolean =>
      (gt === undefined || key > textOf(gt)) &&
      (gte === undefined || key >= textOf(gte)) &&
      (lt === undefined || key < textOf(lt)) &&
      (lte === undefined || key <= textOf(lte))
    const found = [...this.#rows].filter(([key]) => isWithin(key))
    return found.toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit)
  }
}

/** Latin-1 strings sort as their bytes do. */
function textOf(key: Key): string {
  return Buffer.from(key as Uint8Array).toString('latin1')
}
