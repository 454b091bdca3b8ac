import { ClassicLevel } from 'classic-level'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Configuration, Entry, SnapshotMeta } from '../../../consensus/cell/engine.ts'
import { openCellStores, type CellStores } from '../../../node/cell/open.ts'
import type { LogFlush } from '../../../node/cell/log.ts'
import type { CodedError } from '../../../protocols/shared/errors.ts'

export const OWNER = { meshId: 'mesh-1', peerId: 'peer-1', cell: 'alpha' }
export const NOBODY: Configuration = { voters: [], learners: [], votersOutgoing: [], learnersNext: [] }

export function entry(index: number, term = 1, data = `command ${index}`): Entry {
  return { index, term, kind: 'normal', data: new Uint8Array(Buffer.from(data)) }
}

export function range(from: number, to: number, term = 1): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term))
}

export function snapshotAt(index: number, term = 1): SnapshotMeta {
  return { index, term, configuration: { ...NOBODY, voters: [1, 2] }, root: Uint8Array.of(1, 113, index % 256) }
}

export const write = (entries: Entry[], hardState?: { term: number; vote: number; commit: number }) => ({
  entries,
  hardState,
  snapshot: undefined,
})

/** A cell's directory of its own, and what its stores reported. */
export class CellDirectory {
  root = ''
  readonly fatal: CodedError[] = []
  readonly flushes: LogFlush[] = []

  async make(): Promise<void> {
    this.root = await mkdtemp(join(tmpdir(), 'kairos-cell-'))
    this.fatal.length = 0
    this.flushes.length = 0
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true })
  }

  get path(): string {
    return join(this.root, 'cell')
  }

  open(options: Partial<typeof OWNER> & { directory?: string } = {}): Promise<CellStores> {
    return openCellStores({
      directory: this.path,
      ...OWNER,
      onFatal: (error) => this.fatal.push(error),
      onFlush: (flush) => this.flushes.push(flush),
      ...options,
    })
  }

  async using<T>(use: (stores: CellStores) => Promise<T>, options: Parameters<CellDirectory['open']>[0] = {}) {
    const stores = await this.open(options)
    try {
      return await use(stores)
    } finally {
      await stores.close()
    }
  }

  /** What a crash at this moment would leave: the files as they are, with the stores open. */
  async copy(name: string): Promise<string> {
    const directory = join(this.root, name)
    await cp(this.path, directory, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
    return directory
  }

  /** The database as LevelDB has it, past our checks. */
  async raw<T>(name: string, use: (level: ClassicLevel<Buffer, Buffer>) => Promise<T>): Promise<T> {
    const options = { keyEncoding: 'buffer', valueEncoding: 'buffer' }
    const level = new ClassicLevel<Buffer, Buffer>(join(this.path, name), options)
    try {
      return await use(level)
    } finally {
      await level.close()
    }
  }
}
