import { expect } from 'chai'
import { readdir } from 'node:fs/promises'
import type { StateEntry, StateStore } from '../../../node/cell/state-store.ts'
import { collect } from '../storage/collect.ts'
import { CellDirectory } from './cell-stores.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

describe('state store', () => {
  const cell = new CellDirectory()
  beforeEach(() => cell.make())
  afterEach(() => cell.remove())

  const contentOf = async (state: StateStore) =>
    (await collect(state.load())).map(([key, value]) => `${key}=${Buffer.from(value).toString()}`)
  const stored = () => cell.using(async ({ state }) => [state.applied, ...(await contentOf(state))])
  const put = (state: StateStore, applied: number, ...keys: string[]) =>
    state.apply({ applied, changes: keys.map((key) => [key, bytes(String(applied))] as const) })

  it('begins empty, before the first entry', () =>
    cell.using(async ({ state, renewed }) => {
      expect([state.applied, await contentOf(state)]).to.deep.equal([0, []])
      expect(renewed).to.deep.equal([])
    }))

  it('keeps what was put and deleted, with the index', async () => {
    await cell.using(async ({ state }) => {
      await put(state, 1, 'b', 'a', 'c')
      await state.apply({
        applied: 2,
        changes: [
          ['b', undefined],
          ['c', bytes('x')],
        ],
      })
      await state.flush()
    })
    await cell.using(async ({ state }) => {
      expect(await contentOf(state)).to.deep.equal(['a=1', 'c=x'])
    })
    expect(await stored()).to.deep.equal([2, 'a=1', 'c=x'])
  })

  it('takes concurrent changes in the order of the calls', async () => {
    await cell.using(async ({ state }) => {
      await Promise.all(Array.from({ length: 100 }, (_, at) => put(state, at + 1, 'same')))
    })
    expect(await stored()).to.deep.equal([100, 'same=100'])
  })

  it('replaces all, and again', async () => {
    await cell.using(async ({ state }) => {
      await put(state, 1, 'old')
      for (const applied of [50, 60]) {
        await state.replaceAll(applied, [
          ['new', bytes('n')],
          [`at-${applied}`, bytes('')],
        ])
      }
      expect(await contentOf(state)).to.deep.equal(['at-60=', 'new=n'])
      await put(state, 61, 'later')
    })
    expect(await stored()).to.deep.equal([61, 'at-60=', 'later=61', 'new=n'])
  })

  it('a crash anywhere in a replacement leaves the old state or the new one', async () => {
    const copies: string[] = []
    const entries = Array.from({ length: 240 }, (_, at): StateEntry => [`new-${1000 + at}`, new Uint8Array(4096)])
    await cell.using(async ({ state }) => {
      await put(state, 1, 'old')
      async function* slowly() {
        for (const [at, one] of entries.entries()) {
          if (at % 40 === 0) copies.push(await cell.copy(`crash-${copies.length}`))
          yield one
        }
      }
      await state.replaceAll(9, slowly())
      copies.push(await cell.copy('after'))
    })
    const found: number[][] = []
    for (const directory of copies) {
      await cell.using(
        async ({ state }) => {
          found.push([state.applied, (await collect(state.load())).length])
          // What the crash left of the new one is no obstacle.
          await state.replaceAll(10, entries.slice(0, 2))
          expect((await collect(state.load())).map(([key]) => key)).to.deep.equal(['new-1000', 'new-1001'])
        },
        { directory },
      )
    }
    expect(found).to.deep.equal([...Array.from({ length: 6 }, () => [1, 1]), [9, 240]])
  })

  it('a batch that fell out of the middle is found, and an empty store begun: the log has it all', async () => {
    await cell.using(async ({ state }) => {
      for (let applied = 1; applied <= 20; applied++) await put(state, applied, `key-${applied}`)
    })
    await cell.raw('state', async (raw) => {
      const slots = (await raw.keys().all()).filter((key) => key.toString('latin1').startsWith('!cell-state-slots!'))
      expect(slots).to.have.lengthOf(20)
      await raw.del(slots[9]!)
    })
    await cell.using(async ({ state, renewed }) => {
      expect(renewed.map(({ code }) => code)).to.deep.equal(['E_CELL_STATE_CORRUPT'])
      expect(renewed[0]?.message).to.contain('1 of its batches are lost')
      expect([state.applied, await contentOf(state)]).to.deep.equal([0, []])
      await put(state, 1, 'a')
    })
    expect(await stored()).to.deep.equal([1, 'a=1'])
    expect(await readdir(cell.path)).to.include('state.damaged')
    expect(cell.fatal).to.deep.equal([])
  })

  it('an older stamp that came back, and a stamp of another log or release, are found', async () => {
    await cell.using(({ state }) => put(state, 1, 'a'))
    const stampKey = Buffer.from('!cell-state!stamp')
    const older = await cell.raw('state', (raw) => raw.get(stampKey))
    await cell.using(({ state }) => put(state, 2, 'a'))
    await cell.raw('state', (raw) => raw.put(stampKey, older!))
    await cell.using(async ({ renewed }) => expect(renewed[0]?.message).to.contain('ends at batch 1, 2 was written'))
  })

  it('a damaged entry is found at the start, and an empty store begun', async () => {
    await cell.using(({ state }) => put(state, 1, 'a', 'b'))
    await cell.raw('state', async (raw) => {
      const key = Buffer.from('!cell-state-a!b')
      const value = (await raw.get(key))!
      value[0]! ^= 1
      await raw.put(key, value)
    })
    await cell.using(async ({ state, renewed }) => {
      expect(renewed.map(({ code }) => code)).to.deep.equal(['E_CELL_STATE_CORRUPT'])
      expect(await contentOf(state)).to.deep.equal([])
      await state.replaceAll(1, [['b', bytes('good')]])
    })
    expect(await stored()).to.deep.equal([1, 'b=good'])
    expect(cell.fatal).to.deep.equal([])
  })
})
