import * as dagCbor from '@ipld/dag-cbor'
import { expect } from 'chai'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import type { CellStores } from '../../../node/cell/open.ts'
import { refused } from '../storage/refused.ts'
import { CellDirectory } from './cell-stores.ts'

async function block(content: unknown) {
  const bytes = dagCbor.encode(content)
  return { bytes, cid: CID.createV1(dagCbor.code, await sha256.digest(bytes)) }
}

const leaf = (name: string) => block([0, [name], [new Uint8Array(3)], []])

describe('snapshot blocks', () => {
  const cell = new CellDirectory()
  beforeEach(() => cell.make())
  afterEach(() => cell.remove())

  /** A root over a leaf of its own and one that all trees share. */
  const tree = async (name: string) => {
    const [own, shared] = [await leaf(name), await leaf('shared')]
    const values = [new Uint8Array(3), new Uint8Array(3)]
    return { own, shared, root: await block([1, [`${name}-a`, `${name}-b`], values, [own.cid, null, shared.cid]]) }
  }
  type Tree = Awaited<ReturnType<typeof tree>>
  const all = ({ own, shared, root }: Tree) => [own, shared, root]

  it('gives back what was put, after a restart too', async () => {
    const one = await tree('one')
    await cell.using(({ blocks }) => blocks.put(all(one)))
    await cell.using(async ({ blocks }) => {
      expect(await blocks.get(one.root.cid)).to.deep.equal(one.root.bytes)
      expect(await blocks.has(one.own.cid)).to.equal(true)
      const none = (await leaf('none')).cid
      expect([await blocks.get(none), await blocks.has(none)]).to.deep.equal([undefined, false])
    })
  })

  it('of snapshots that are kept at the same time none is forgotten', async () => {
    const trees = [await tree('one'), await tree('two')]
    await cell.using(async ({ blocks }) => {
      for (const one of trees) await blocks.put(all(one))
      await Promise.all(trees.map((one, index) => blocks.keep({ index, root: one.root.cid })))
      expect((await blocks.snapshots()).map(({ index }) => index)).to.deep.equal([0, 1])
    })
  })

  it('beside another log is begun anew: its snapshots of greater indexes would push out that of this one', async () => {
    const one = await tree('one')
    await cell.using(async ({ blocks }) => {
      await blocks.put(all(one))
      await blocks.keep({ index: 9, root: one.root.cid })
    })
    await cell.using(async ({ renewed }) => expect(renewed).to.deep.equal([]))
    await rm(join(cell.path, 'log'), { recursive: true })
    await cell.using(async ({ blocks, renewed }) => {
      expect(renewed[0]?.message).to.equal('the snapshots are those of another log')
      expect(await blocks.snapshots()).to.deep.equal([])
      await blocks.put(all(one))
      await blocks.keep({ index: 1, root: one.root.cid })
    })
    await cell.using(async ({ blocks }) =>
      expect((await blocks.snapshots()).map(({ index }) => index)).to.deep.equal([1]),
    )
  })

  it('keeps the last two snapshots and sweeps what neither reaches', async () => {
    const trees = [await tree('one'), await tree('two'), await tree('three')]
    await cell.using(async ({ blocks }) => {
      for (const [index, one] of trees.entries()) {
        await blocks.put(all(one))
        await blocks.keep({ index, root: one.root.cid })
      }
      await blocks.keep({ index: 2, root: trees[2]!.root.cid })
    })
    await cell.using(async ({ blocks }) => {
      expect((await blocks.snapshots()).map(({ index, root }) => [index, root.toString()])).to.deep.equal(
        [1, 2].map((index) => [index, trees[index]!.root.cid.toString()]),
      )
      expect(await blocks.sweep()).to.equal(2)
      expect(await blocks.sweep()).to.equal(0)
      const here = await Promise.all(trees.flatMap(all).map(({ cid }) => blocks.has(cid)))
      expect(here).to.deep.equal([false, true, false, true, true, true, true, true, true])
    })
  })

  it('sweeps nothing while somebody writes or fetches a snapshot', () =>
    cell.using(async ({ blocks }) => {
      const releases = [await blocks.hold(), await blocks.hold()]
      await blocks.put([await leaf('not yet reached')])
      expect(await blocks.sweep()).to.equal(undefined)
      releases[0]!()
      releases[0]!()
      expect(await blocks.sweep()).to.equal(undefined)
      releases[1]!()
      const [swept, held] = await Promise.all([blocks.sweep(), blocks.hold()])
      expect(swept).to.equal(1)
      held()
    }))

  it('refuses to keep a root that is not here, and to sweep when a kept tree has a hole', () =>
    cell.using(async ({ blocks }) => {
      const [one, stray] = [await tree('one'), await leaf('stray')]
      expect((await refused(blocks.keep({ index: 1, root: one.root.cid }))).code).to.equal('E_CELL_BLOCK_MISSING')
      await blocks.put([one.root, one.own, stray])
      await blocks.keep({ index: 1, root: one.root.cid })
      expect((await refused(blocks.sweep())).message).to.contain(one.shared.cid.toString())
      expect(await blocks.has(stray.cid)).to.equal(true)
    }))

  it('knows what the kept snapshots reach, after a restart too, so that it is not brought again', async () => {
    const [one, stray] = [await tree('one'), await leaf('stray')]
    const known = async (cell: CellStores) => {
      const isKnown = await cell.blocks.known()
      return [...all(one), stray].map(({ cid }) => isKnown(cid))
    }
    await cell.using(async (stores) => {
      await stores.blocks.put([...all(one), stray])
      await stores.blocks.keep({ index: 1, root: one.root.cid })
      expect(await known(stores)).to.deep.equal([true, true, true, false])
    })
    await cell.using(async (stores) => {
      expect(await known(stores)).to.deep.equal([true, true, true, false])
      await stores.blocks.sweep()
      expect(await known(stores)).to.deep.equal([true, true, true, false])
    })
  })

  for (const lost of ['own', 'root'] as const) {
    it(`knows nothing while the ${lost === 'own' ? 'leaf' : 'root'} of a kept snapshot is lost, so that all is brought again`, async () => {
      const one = await tree('one')
      await cell.using(async ({ blocks }) => {
        await blocks.put(all(one))
        await blocks.keep({ index: 1, root: one.root.cid })
      })
      await cell.raw('blocks', (raw) => raw.del(Buffer.concat([Buffer.from('!cell-blocks!'), one[lost].cid.bytes])))
      await cell.using(async ({ blocks }) => expect((await blocks.known())(one.shared.cid)).to.equal(false))
    })
  }

  it('finds a flipped bit and a block under a wrong CID; the node goes on, the block can be put again', async () => {
    const one = await tree('one')
    await cell.using(({ blocks }) => blocks.put([...all(one), { cid: one.own.cid, bytes: one.shared.bytes }]))
    await cell.raw('blocks', async (raw) => {
      const key = Buffer.concat([Buffer.from('!cell-blocks!'), one.root.cid.bytes])
      const value = (await raw.get(key))!
      value[3]! ^= 1
      await raw.put(key, value)
    })
    await cell.using(async ({ blocks }) => {
      for (const { cid } of [one.root, one.own]) {
        expect((await refused(blocks.get(cid))).code).to.equal('E_CELL_BLOCK_CORRUPT')
      }
      expect((await blocks.known())(one.shared.cid)).to.equal(false)
      await blocks.put(all(one))
      expect(await blocks.get(one.root.cid)).to.deep.equal(one.root.bytes)
    })
    expect(cell.fatal).to.deep.equal([])
  })
})
