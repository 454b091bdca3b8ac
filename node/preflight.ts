import type { Paths } from './config/paths.ts'
import { ensureDirectory } from './storage/files.ts'

/** Refuses before anything runs what would fail at the first write, naming the key to change. */
export async function prepareDirectories(paths: Paths): Promise<void> {
  await ensureDirectory(paths.root)
  await ensureDirectory(paths.blocks, 'content.path')
  await ensureDirectory(paths.memory, 'memory.storage.path')
}
