import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlockStore } from '../../../../node/content/blocks/index.ts'
import { blockstoreSuite } from '../../../helpers/storage-suites.ts'

describe('BlockStore as interface-blockstore has it', () => {
  const paths = new Map<unknown, string>()

  blockstoreSuite({
    async setup() {
      const path = await mkdtemp(join(tmpdir(), 'kairos-suite-'))
      const store = new BlockStore({ path, quotaBytes: 2 ** 30, maxBlockBytes: 2 ** 21, onStored: () => undefined })
      await store.open()
      paths.set(store, path)
      return store
    },
    async teardown(store) {
      await (store as BlockStore).close()
      await rm(paths.get(store)!, { recursive: true })
    },
  })
})
