import type { RepoOperations } from '../operations-repo.ts'
import type { BlockStore } from './blocks/index.ts'
import type { GetBlock } from './dag.ts'
import type { LocalPins } from './pins/index.ts'

export interface RepoInit {
  store: Pick<BlockStore, 'count' | 'usedBytes'>
  pins: Pick<LocalPins, 'gc' | 'verify' | 'stat'>
  path: string
  quotaBytes: number
  /** A way to get blocks that does not read the store. */
  fetch: () => GetBlock
}

/** What a node keeps on its disk, for its operator. */
export function createRepo({ store, pins, path, quotaBytes, fetch }: RepoInit): RepoOperations {
  return {
    async stat() {
      const [blocks, usedBytes, held] = await Promise.all([store.count(), store.usedBytes(), pins.stat()])
      const freeBytes = Math.max(0, quotaBytes - held.bytes)
      return { blocks, usedBytes, quotaBytes, pins: held.pins, freeBytes, path }
    },
    gc: (signal) => pins.gc(signal),
    async *verify({ repair }, signal) {
      const totalBlocks = await store.count()
      for await (const row of pins.verify(undefined, { repair, get: fetch(), signal })) yield { ...row, totalBlocks }
    },
  }
}
