import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Datastore } from 'interface-datastore'
import { DhtDatastore } from '../../../node/network/dht-datastore.ts'
import { openDatabase, type Database } from '../../../node/storage/database.ts'
import { LevelDatastore } from '../../../node/storage/datastore.ts'
import { datastoreSuite } from '../../helpers/storage-suites.ts'

const wrappers: [name: string, wrap: (database: Database) => Datastore][] = [
  ['LevelDatastore', (database) => new LevelDatastore(database.sublevel('suite'))],
  ['DhtDatastore', (database) => new DhtDatastore(new LevelDatastore(database.sublevel('suite')), 'self', {})],
]

for (const [name, wrap] of wrappers) {
  describe(`${name} as interface-datastore has it`, () => {
    const opened = new Map<Datastore, { directory: string; database: Database }>()

    datastoreSuite({
      async setup() {
        const directory = await mkdtemp(join(tmpdir(), 'kairos-suite-'))
        const database = await openDatabase(directory, {
          onFatal: (error) => {
            throw error
          },
        })
        const store = wrap(database)
        opened.set(store, { directory, database })
        return store
      },
      async teardown(store) {
        const { directory, database } = opened.get(store)!
        await database.close()
        await rm(directory, { recursive: true })
      },
    })
  })
}
