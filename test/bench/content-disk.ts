import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MIB = 2 ** 20

/** How fast the disk takes one file, in order, synced at its end. @returns bytes/s */
export async function syncedWriteSpeed(bytes: number): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'k-disk-'))
  const block = Buffer.alloc(MIB, 7)
  try {
    const handle = await open(join(root, 'file'), 'w')
    const began = performance.now()
    for (let at = 0; at < bytes; at += MIB) await handle.write(block)
    await handle.sync()
    const seconds = (performance.now() - began) / 1000
    await handle.close()
    return bytes / seconds
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
