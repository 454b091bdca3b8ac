import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import {
  applyEntry,
  commandCodec,
  initialState,
  type Command,
  type PinSpec,
  type State,
} from '../../../consensus/state/index.ts'
import { Catalog, type Index } from '../../../node/pins/catalog.ts'
import { openDatabase, type Database } from '../../../node/storage/database.ts'

const PEER = '12D3KooWCfN1S8qqD4Mt99xvAGRRAsriBmGP8wBpRG5fiZWgSfTR'

/** A cell of one, command by command. */
class Agreed {
  state: State = initialState()
  #index = 0

  constructor() {
    this.do({ type: 'member-join', peerId: PEER, incarnation: new Uint8Array(16) })
  }

  /** @returns the keys that changed */
  do(request: object, time = 0): string[] {
    const index = ++this.#index
    const session = { client: 'c', opened: 0, sequence: index }
    const command = { v: 1, id: `c.${index}`, session, time, ...request } as Command
    const entry = {
      index,
      term: 1,
      kind: 'normal' as const,
      data: commandCodec.encode(command),
      context: new Uint8Array(),
    }
    const { state, changes, result } = applyEntry(this.state, entry)
    expect(result, JSON.stringify(result)).to.have.property('ok', true)
    this.state = state
    return changes.map(({ key }) => key)
  }

  pin(spec: Omit<PinSpec, 'owner'>, time?: number): string[] {
    return this.do({ type: 'pin-set', pins: [{ owner: PEER, ...spec }] }, time)
  }
}

describe('pins: catalog', () => {
  let directory: string
  let database: Database
  let cids: string[]
  before(async () => {
    const all = Array.from({ length: 30 }, async (_, n) => CID.createV1(0x55, await sha256.digest(Uint8Array.of(n))))
    cids = (await Promise.all(all)).map(String).sort()
  })
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kairos-catalog-'))
    database = await openDatabase(join(directory, 'data'), { onFatal: (error) => expect.fail(String(error)) })
  })
  afterEach(async () => {
    await database.close()
    await rm(directory, { recursive: true })
  })

  const catalogOf = () => new Catalog(database.sublevel('pin-catalog'))
  async function found(catalog: Catalog, index: Index, after?: string): Promise<number[]> {
    const all: number[] = []
    for await (const { cid } of catalog.find(index, after)) all.push(cids.indexOf(cid))
    return all
  }

  it('finds by name, age, end, metadata and holder, each in its order', async () => {
    const [catalog, agreed] = [catalogOf(), new Agreed()]
    catalog.open(agreed.state.tree, 1)
    const set = (at: number, spec: Omit<PinSpec, 'owner' | 'cid'>, time: number) =>
      catalog.update(agreed.pin({ cid: cids[at]!, ...spec }, time), agreed.state.tree)
    set(0, { name: 'zoo', metadata: { kind: 'film' } }, 10)
    set(1, { name: 'zebra', expires: 500 }, 20)
    set(2, { name: 'ant', metadata: { kind: 'film', year: '1999' }, expires: 400 }, 30)
    set(3, { name: 'zo' }, 40)
    expect(await found(catalog, { by: 'name', prefix: '' })).to.deep.equal([2, 1, 3, 0])
    expect(await found(catalog, { by: 'name', prefix: 'zo' })).to.deep.equal([3, 0])
    expect(await found(catalog, { by: 'created', from: 20, to: 40 })).to.deep.equal([1, 2])
    expect(await found(catalog, { by: 'expires', to: 450 })).to.deep.equal([2])
    expect(await found(catalog, { by: 'metadata', key: 'kind', value: 'film' })).to.deep.equal([0, 2])
    expect(await found(catalog, { by: 'holder', peerId: PEER })).to.deep.equal([0, 1, 2, 3])
  })

  it('follows what changes and what goes, and leaves nothing behind', async () => {
    const [catalog, agreed] = [catalogOf(), new Agreed()]
    catalog.open(agreed.state.tree, 1)
    catalog.update(agreed.pin({ cid: cids[0]!, name: 'one', metadata: { a: 'b' } }), agreed.state.tree)
    catalog.update(agreed.pin({ cid: cids[0]!, name: 'two', metadata: {} }), agreed.state.tree)
    expect(await found(catalog, { by: 'name', prefix: '' })).to.deep.equal([0])
    expect(await found(catalog, { by: 'name', prefix: 'one' })).to.deep.equal([])
    expect(await found(catalog, { by: 'metadata', key: 'a', value: 'b' })).to.deep.equal([])
    catalog.update(agreed.do({ type: 'pin-unset', cid: cids[0]! }), agreed.state.tree)
    await catalog.settled()
    const rows: unknown[] = []
    for await (const key of database.sublevel('pin-catalog').keys()) rows.push(key)
    expect(rows).to.deep.equal([])
  })

  it('goes on after a cursor', async () => {
    const [catalog, agreed] = [catalogOf(), new Agreed()]
    catalog.open(agreed.state.tree, 1)
    for (let at = 0; at < 20; at++)
      catalog.update(agreed.pin({ cid: cids[at]!, name: `n${at % 3}` }), agreed.state.tree)
    const all = await found(catalog, { by: 'name', prefix: 'n' })
    const paged: number[] = []
    let after: string | undefined
    for (;;) {
      const iterator = catalog.find({ by: 'name', prefix: 'n' }, after)
      const next = await iterator.next()
      await iterator.return(undefined)
      if (next.done === true) break
      paged.push(cids.indexOf(next.value.cid))
      after = next.value.cursor
    }
    expect(paged).to.deep.equal(all)
    expect(all).to.have.length(20)
  })

  for (const how of [
    'cut off behind the state',
    'stopped cleanly and then left behind',
    'ahead of a state that came back',
  ])
    it(`${how}: the next start makes it whole`, async () => {
      const [first, agreed] = [catalogOf(), new Agreed()]
      first.open(agreed.state.tree, 1)
      for (let at = 0; at < 10; at++) first.update(agreed.pin({ cid: cids[at]!, name: 'old' }), agreed.state.tree)
      if (how.startsWith('stopped')) await first.close(11)
      else await first.settled()
      if (how.startsWith('ahead')) {
        agreed.state = initialState()
      } else {
        agreed.pin({ cid: cids[3]!, name: 'new' })
        agreed.do({ type: 'pin-unset', cid: cids[5]! })
        for (let at = 10; at < 12; at++) agreed.pin({ cid: cids[at]!, name: 'new' })
      }
      const second = catalogOf()
      second.open(agreed.state.tree, agreed.state.applied.index)
      const [old, now] = how.startsWith('ahead')
        ? [[], []]
        : [
            [0, 1, 2, 4, 6, 7, 8, 9],
            [3, 10, 11],
          ]
      expect(await found(second, { by: 'name', prefix: 'old' })).to.deep.equal(old)
      expect(await found(second, { by: 'name', prefix: 'new' })).to.deep.equal(now)
    })

  it('names that hold each other, and any text that a name may be, are kept apart', async () => {
    const [catalog, agreed] = [catalogOf(), new Agreed()]
    catalog.open(agreed.state.tree, 1)
    const names = ['a', 'a b', 'aé', 'a\u{1f600}', 'b']
    for (const [at, name] of names.entries()) catalog.update(agreed.pin({ cid: cids[at]!, name }), agreed.state.tree)
    expect(await found(catalog, { by: 'name', prefix: 'a' })).to.have.members([0, 1, 2, 3])
    expect(await found(catalog, { by: 'name', prefix: 'aé' })).to.deep.equal([2])
  })
})
