import type { EpochStore } from '../../../consensus/epoch/index.ts'
import { certificateCodec, digestOf, hex, plain } from '../../../consensus/epoch/index.ts'
import type { Dice } from '../dice.ts'

export interface StoredEpoch {
  readonly value: Uint8Array
  readonly block: Uint8Array
  readonly certificate: Uint8Array
  readonly state: Uint8Array
}

/** What a power cut leaves: log and epochs are two databases, as a node has them. */
export interface MeshImage {
  height: number
  records: Uint8Array[]
  /** named by votes, by height and digest */
  readonly reports: Map<number, Map<string, Uint8Array>>
  readonly proposals: Map<string, Uint8Array>
  readonly chain: StoredEpoch[]
}

export interface MeshDiskPorts {
  /** after this much time, unless the process has ended by then */
  readonly after: (ms: number, run: () => void) => void
  readonly flushMs: () => number
  /** Before or after something is durable: the process may end here. @returns whether it goes on */
  readonly step: () => boolean
  readonly failed: () => void
}

/** The disk as one process sees it. */
export interface OpenDisk {
  /** @throws for records of a later height: the epochs were lost, the log was not */
  read(height: number): Promise<Uint8Array[]>
  append(height: number, records: readonly Uint8Array[], reports: readonly Uint8Array[]): Promise<void>
  readonly store: EpochStore
}

type File = 'log' | 'epochs'
type Write = (image: MeshImage) => void

export class DiskFailure extends Error {
  override name = 'DiskFailure'
}

const NEVER = new Promise<never>(() => {})

/** One node's disk: what is synced outlives a crash; of what is not, a random prefix of each database does. */
export class MeshDisk {
  image: MeshImage = emptyImage()
  /** every flush fails until the process starts again */
  failing = false
  readonly #pending: Record<File, Write[]> = { log: [], epochs: [] }
  readonly #dice: Dice

  constructor(dice: Dice) {
    this.#dice = dice
  }

  crash(): void {
    for (const writes of Object.values(this.#pending)) {
      const kept = this.#dice.whole(0, writes.length)
      for (const write of writes.splice(0).slice(0, kept)) write(this.image)
    }
    this.failing = false
  }

  open(ports: MeshDiskPorts): OpenDisk {
    const write = (file: File, write: Write) => this.#write(ports, file, write)
    return {
      read: async (height) => this.#read(height),
      append: (height, records, reports) => write('log', (image) => append(image, height, records, reports)),
      store: {
        persist: (value, block) => write('epochs', ({ proposals }) => proposals.set(hex(value), block)),
        proposal: async (value) => this.image.proposals.get(hex(value)),
        commit: (height, epoch, state) => write('epochs', (image) => commit(image, height, { ...epoch, state })),
      },
    }
  }

  /** A block that was proposed or is final. */
  block(height: number, value: Uint8Array): Uint8Array | undefined {
    const proposed = this.image.proposals.get(hex(value))
    const final = this.image.chain[height - 1]
    return proposed ?? (final !== undefined && hex(final.value) === hex(value) ? final.block : undefined)
  }

  #read(height: number): Uint8Array[] {
    const { image } = this
    if (height < image.height) throw new Error(`the log is of height ${image.height}, the epochs end before ${height}`)
    return height === image.height ? [...image.records] : []
  }

  #write({ after, flushMs, step, failed }: MeshDiskPorts, file: File, write: Write): Promise<void> {
    if (!step()) return NEVER
    const pending = this.#pending[file]
    pending.push(write)
    return new Promise((resolve, reject) => {
      after(flushMs(), () => {
        if (this.failing) {
          failed()
          return reject(new DiskFailure('fsync failed'))
        }
        for (const each of pending.splice(0, pending.indexOf(write) + 1)) each(this.image)
        if (step()) resolve()
      })
    })
  }
}

function append(
  image: MeshImage,
  height: number,
  records: readonly Uint8Array[],
  reports: readonly Uint8Array[],
): void {
  if (height !== image.height) image.records = []
  image.height = height
  image.records.push(...records)
  for (const old of image.reports.keys()) if (old < height - 1) image.reports.delete(old)
  const named = image.reports.get(height) ?? new Map<string, Uint8Array>()
  for (const bytes of reports) named.set(hex(digestOf(bytes)), bytes)
  image.reports.set(height, named)
}

function commit({ chain, proposals }: MeshImage, height: number, epoch: StoredEpoch): void {
  if (chain.length !== height - 1) throw new Error(`epoch ${height} after ${chain.length}`)
  const last = chain.at(-1)
  if (last !== undefined) chain[chain.length - 1] = { ...last, certificate: trimmed(last.certificate) }
  chain.push(epoch)
  proposals.clear()
}

export function emptyImage(): MeshImage {
  return { height: 0, records: [], reports: new Map(), proposals: new Map(), chain: [] }
}

/** Only the last certificate is kept with what its signers saw. */
function trimmed(certificate: Uint8Array): Uint8Array {
  return certificateCodec.encode(plain(certificateCodec.decode(certificate)))
}
