import { join } from 'node:path'
import { BlockStore } from '../../node/content/blocks/index.ts'
import { createLocalPins, type LocalPins } from '../../node/content/pins/index.ts'
import { openDatabase } from '../../node/storage/database.ts'

export interface PinDisk {
  pins: LocalPins
  store: BlockStore
  close(): Promise<void>
}

/** The index and the block store of a node, as they lie on disk. */
export async function openPinDisk(directory: string): Promise<PinDisk> {
  const onFatal = (error: Error): void => {
    throw error
  }
  const database = await openDatabase(join(directory, 'database'), { onFatal })
  const store = new BlockStore({
    path: join(directory, 'blocks'),
    quotaBytes: 1e9,
    maxBlockBytes: 2_097_152,
    onStored: (cid) => pins.stored(cid),
    onFatal,
  })
  const pins = createLocalPins({ sublevel: database.sublevel('pins'), store })
  await store.open()
  await pins.open()
  const close = async (): Promise<void> => {
    await pins.close()
    await store.close()
    await database.close()
  }
  return { pins, store, close }
}
