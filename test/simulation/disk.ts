import type { Entry, HardState, SnapshotMeta } from '../../consensus/cell/engine.ts'
import type { Log, LogStart, LogWrite } from '../../consensus/cell/ports.ts'
import type { Dice } from './dice.ts'

/** What a power cut leaves. */
export interface Image {
  id: number
  hardState: HardState
  snapshot: SnapshotMeta
  /** contiguous from the snapshot's index + 1 */
  entries: Stored[]
  /** the start of a batch that the crash cut: on the disk, never acknowledged */
  torn: LogWrite | undefined
}

export interface Stored {
  readonly entry: Entry
  readonly sum: number
}

export interface DiskPorts {
  /** after this node's time, unless it crashes first */
  readonly after: (ms: number, run: () => void) => void
  readonly dice: Dice
  /** mean milliseconds of a flush */
  readonly flushMs: () => number
  /** told of a snapshot that is older than the one it would replace */
  readonly backwards: () => void
  /** told of each flush that fails */
  readonly failed: () => void
}

export class DiskFailure extends Error {
  override name = 'DiskFailure'
}

/** One node's disk: what is synced outlives a crash, of what is not a random prefix does. */
export class Disk {
  readonly image: Image
  /** the next flush fails, and all after it until the node starts again */
  failing = false
  readonly #pending: LogWrite[] = []
  readonly #ports: DiskPorts

  constructor(image: Image, ports: DiskPorts) {
    this.image = image
    this.#ports = ports
  }

  /** A log as the process that starts now sees it. */
  open(): Log {
    return {
      read: async () => this.#read(),
      append: (write) => this.#flush(write),
    }
  }

  /** The process is gone: of the batches that were not flushed a random prefix is kept, the next may be torn. */
  crash(tear: boolean): void {
    const { dice } = this.#ports
    const kept = dice.whole(0, this.#pending.length)
    for (const write of this.#pending.slice(0, kept)) applyWrite(this.image, write)
    const cut = this.#pending[kept]
    this.image.torn = tear && cut !== undefined && cut.entries.length > 0 ? tornPart(cut) : undefined
    this.#pending.length = 0
    this.failing = false
  }

  /** Turns one bit of one entry that was durable. @returns false when there is none */
  flipBit(): boolean {
    const { dice } = this.#ports
    const at = this.image.entries.findLastIndex(({ entry }) => entry.data.length > 0)
    if (at < 0) return false
    const { entry, sum } = this.image.entries[at]!
    const data = entry.data.slice()
    data[dice.whole(0, data.length - 1)]! ^= 1 << dice.whole(0, 7)
    this.image.entries[at] = { entry: { ...entry, data }, sum }
    return true
  }

  /** Whether this entry would be here after a power cut now. */
  holds(index: number, term: number): boolean {
    const { snapshot, entries } = this.image
    if (index <= snapshot.index) return true
    return entries[index - snapshot.index - 1]?.entry.term === term
  }

  /** index of the last entry that would be here after a power cut now */
  get last(): number {
    return Math.max(this.image.entries.at(-1)?.entry.index ?? 0, this.image.snapshot.index)
  }

  #read(): LogStart {
    const { hardState, snapshot, entries } = this.image
    for (const { entry, sum } of entries) {
      if (sumOf(entry) !== sum) throw new DiskFailure(`entry ${entry.index} is damaged`)
    }
    return { hardState, snapshot, entries: entries.map(({ entry }) => entry) }
  }

  #flush(write: LogWrite): Promise<void> {
    this.#pending.push(write)
    if ((write.snapshot?.index ?? Infinity) < this.image.snapshot.index) this.#ports.backwards()
    return new Promise((resolve, reject) => {
      this.#ports.after(this.#ports.flushMs(), () => {
        if (this.failing) {
          this.#ports.failed()
          return reject(new DiskFailure('fsync failed'))
        }
        const through = this.#pending.indexOf(write)
        for (const write of this.#pending.splice(0, through + 1)) applyWrite(this.image, write)
        resolve()
      })
    })
  }
}

export function emptyImage(id: number, snapshot: SnapshotMeta): Image {
  const hardState = { term: snapshot.term, vote: 0, commit: snapshot.index }
  return { id, hardState, snapshot, entries: [], torn: undefined }
}

function applyWrite(image: Image, { entries, hardState, snapshot }: LogWrite): void {
  if (hardState !== undefined) image.hardState = hardState
  const first = entries[0]?.index ?? Infinity
  const log = image.entries
  while ((log.at(-1)?.entry.index ?? -1) >= first) log.pop()
  for (const entry of entries) log.push({ entry, sum: sumOf(entry) })
  if (snapshot !== undefined) image.entries = behind(image, snapshot, log, first)
}

/** What follows on a snapshot stays: of the log when it holds the snapshot's last entry, of the write always. */
function behind(image: Image, snapshot: SnapshotMeta, log: Stored[], first: number): Stored[] {
  const { index, term } = snapshot
  const isSame = image.snapshot.index === index && image.snapshot.term === term
  const follows = isSame || log.some(({ entry }) => entry.index === index && entry.term === term)
  image.snapshot = snapshot
  return log.filter(({ entry }) => entry.index > index && (follows || entry.index >= first))
}

/** All but the end of the batch: its last entry lacks its last byte. */
function tornPart({ entries, hardState, snapshot }: LogWrite): LogWrite {
  const last = entries.at(-1)!
  const data = last.data.subarray(0, Math.max(0, last.data.length - 1))
  return { entries: [...entries.slice(0, -1), { ...last, data }], hardState, snapshot }
}

function sumOf({ index, term, kind, data }: Entry): number {
  let sum = Math.imul(index ^ 0x811c9dc5, 0x01000193) ^ Math.imul(term, 0x85ebca6b) ^ kind.length
  for (let i = 0; i < data.length; i++) sum = Math.imul(sum ^ data[i]!, 0x01000193)
  return sum >>> 0
}
