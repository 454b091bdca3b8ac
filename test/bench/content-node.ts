import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../node/storage/database.ts'
import { startContentNode, type ContentNode } from '../helpers/content-node.ts'

/** A content service whose blocks and pins are on a disk, as those of a real node are. */
export async function startDurableNode(): Promise<ContentNode> {
  const root = await mkdtemp(join(tmpdir(), 'k-content-'))
  const database = await openDatabase(join(root, 'database'), { onFatal: fatal })
  const pinIndex = database.sublevel('local-pins')
  const node = await startContentNode({ blocksPath: join(root, 'blocks'), pinIndex, onFatal: fatal })
  return {
    ...node,
    async stop() {
      await node.stop()
      await database.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

export function fatal(error: unknown): never {
  throw error
}
