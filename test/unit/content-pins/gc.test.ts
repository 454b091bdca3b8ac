import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { GC_PAGE_BLOCKS } from '../../../node/content/pins/constants.ts'
import type { LocalPins } from '../../../node/content/pins/index.ts'
import { Leases } from '../../../node/content/pins/leases.ts'
import { codeOf } from '../../../protocols/shared/errors.ts'
import { collect } from '../../helpers/collect.ts'
import {
  Mesh,
  MemoryBlocks,
  nameOf,
  namesOf,
  NEVER,
  node,
  openIndex,
  rawBlock,
  type Block,
} from '../../helpers/pin-fixtures.ts'
import { checkHeld, checkSwept } from '../../helpers/pin-invariants.ts'

const [a, b, c] = [rawBlock('a'), rawBlock('b'), rawBlock('c')]
const root = node('root', [a, b])

/** A store whose next deletion waits for us. */
class GatedBlocks extends MemoryBlocks {
  readonly reached = Promise.withResolvers<CID>()
  readonly gate = Promise.withResolvers<void>()

  override async delete(cid: CID): Promise<void> {
    this.reached.resolve(cid)
    await this.gate.promise
    await super.delete(cid)
  }
}

const put = async (store: MemoryBlocks, ...blocks: Block[]) => {
  for (const { cid, bytes } of blocks) await store.put(cid, bytes)
}
const sweep = (pins: LocalPins) => collect(pins.gc(NEVER))

describe('gc', () => {
  it('deletes what nobody holds, and tells after each page how far it is', async () => {
    const { pins, store } = await openIndex()
    await pins.pin(root.cid, { mode: 'recursive', get: new Mesh().add(a, b, root).over(store), signal: NEVER })
    const garbage = Array.from({ length: 300 }, (_, index) => rawBlock(`garbage ${index}`))
    await put(store, ...garbage)
    const rows = await sweep(pins)
    const pages = Array.from({ length: Math.ceil(303 / GC_PAGE_BLOCKS) }, (_, n) =>
      Math.min(303, (n + 1) * GC_PAGE_BLOCKS),
    )
    expect(rows.map(({ examined }) => examined)).to.deep.equal([...pages, 303])
    expect(rows.map(({ done }) => done)).to.deep.equal([...pages.map(() => false), true])
    expect(rows.at(-1)).to.deep.include({
      removed: 300,
      freedBytes: garbage.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
    })
    expect([...store.blocks.keys()].toSorted()).to.deep.equal(namesOf([root, a, b]))
    await checkHeld(pins, store, CID.parse)
  })

  it('spares what of a pin is here before it is pinned, and after it is not to be', async () => {
    const { pins, store } = await openIndex()
    await put(store, root, b, c)
    pins.expect(root.cid.toString())
    await sweep(pins)
    expect([...store.blocks.keys()].toSorted()).to.deep.equal(namesOf([root, b]))
    await pins.unpin(root.cid)
    await sweep(pins)
    expect(store.blocks.size).to.equal(0)
  })

  it('spares what is to be pinned since it began', async () => {
    const { pins, store } = await openIndex()
    // In the order of their names these are the last ones.
    const isLate = ({ cid }: Block): boolean => nameOf(cid) > '1220f8'
    const many = Array.from({ length: 20_000 }, (_, index) => rawBlock(`block ${index}`))
    const late = many.filter(isLate).slice(0, 3)
    const garbage = many.filter((each) => !isLate(each)).slice(0, 200)
    const top = Array.from({ length: 500 }, (_, index) => node(`top ${index}`, late)).find(isLate)!
    await put(store, ...garbage, ...late, top)
    const rows = pins.gc(NEVER)
    expect((await rows.next()).value).to.include({ done: false })
    pins.expect(top.cid.toString())
    await collect(rows)
    expect([...store.blocks.keys()].toSorted()).to.deep.equal(namesOf([top, ...late]))
  })

  it('spares what is leased until the lease is released, and what a crash left leased is garbage', async () => {
    const { pins, store, rows } = await openIndex()
    const [lease, second] = [pins.hold(), pins.hold()]
    await Promise.all([lease.add(a.cid), lease.add(b.cid), second.add(a.cid)])
    await put(store, a, b, c)
    expect((await sweep(pins)).at(-1)).to.deep.include({
      removed: 1,
      spared: 2,
      sparedBytes: a.bytes.byteLength + b.bytes.byteLength,
    })
    expect([...store.blocks.keys()].toSorted()).to.deep.equal(namesOf([a, b]))
    expect(await pins.isHeld(b.cid)).to.equal(true)
    lease.release()
    lease.release()
    expect(await pins.isHeld(b.cid)).to.equal(false)
    await sweep(pins)
    expect([...store.blocks.keys()]).to.deep.equal(namesOf([a]))
    await checkSwept((await openIndex({ rows, store })).pins, store, [])
  })

  it('spares what is stored after it began', async () => {
    const { pins, store } = await openIndex()
    await put(store, ...Array.from({ length: 300 }, (_, index) => rawBlock(`garbage ${index}`)))
    const gc = pins.gc(NEVER)
    await gc.next()
    const young = Array.from({ length: 50 }, (_, index) => rawBlock(`young ${index}`))
    for (const each of young) {
      await put(store, each)
      pins.stored(each.cid)
    }
    await collect(gc)
    expect([...store.blocks.keys()].toSorted()).to.deep.equal(namesOf(young))
    await checkSwept(pins, store, [])
  })

  it('that decides about a block makes a pin wait, which then fetches the block again', async () => {
    const store = new GatedBlocks()
    const { pins } = await openIndex({ store })
    await put(store, c)
    const net = new Mesh().add(a, c)
    const swept = sweep(pins)
    await store.reached.promise
    const pinned = pins.pin(c.cid, { mode: 'recursive', get: net.over(store), signal: NEVER })
    // Every turn that the pin could take while the block is closed.
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    expect(await pins.get(c.cid)).to.include({ state: 'pinning', blocks: 0 })
    // Nobody else waits.
    expect(await pins.pin(a.cid, { mode: 'recursive', get: net.over(store), signal: NEVER })).to.include({ blocks: 1 })
    store.gate.resolve()
    await swept
    expect(await pinned).to.include({ state: 'pinned' })
    expect(net.fetched).to.deep.equal([a, c].map(({ cid }) => cid.toString()))
    await checkHeld(pins, store, CID.parse)
  })

  it('leaves a block that a pin has found and not yet counted', async () => {
    const { pins, store } = await openIndex()
    await put(store, c)
    const [found, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const get = async (): Promise<Uint8Array> => {
      found.resolve()
      await go.promise
      return c.bytes
    }
    const pinned = pins.pin(c.cid, { mode: 'recursive', get, signal: NEVER })
    await found.promise
    await sweep(pins)
    expect(await store.has(c.cid)).to.equal(true)
    go.resolve()
    await pinned
    await checkSwept(pins, store, namesOf([c]))
  })

  it('runs once at a time, ends when told, and runs again', async () => {
    const { pins, store } = await openIndex()
    await put(store, a, b)
    const first = pins.gc(NEVER)
    await first.next()
    expect(await sweep(pins).then(() => 'none', codeOf)).to.equal('E_GC_RUNNING')
    await first.return(undefined)
    await put(store, c)
    const stopped = collect(pins.gc(AbortSignal.abort(new Error('told to end'))))
    expect(await stopped.then(() => 'none', String)).to.contain('told to end')
    expect(await store.has(c.cid)).to.equal(true)
    await checkSwept(pins, store, [])
  })
})

describe('leases', () => {
  it('beyond the limit hold every block, until those that went beyond it are released', async () => {
    const leases = new Leases(2)
    const [small, large] = [leases.hold(), leases.hold()]
    await small.add(a.cid)
    await large.add(a.cid)
    await large.add(b.cid)
    expect(leases.isHeld(c.cid)).to.equal(false)
    await large.add(c.cid)
    await large.add(root.cid)
    expect(leases.isHeld(rawBlock('any').cid)).to.equal(true)
    large.release()
    expect([a, b, c].map(({ cid }) => leases.isHeld(cid))).to.deep.equal([true, false, false])
    small.release()
    expect(leases.isHeld(a.cid)).to.equal(false)
  })
})

describe('verify', () => {
  const opened = async () => {
    const index = await openIndex()
    const mesh = new Mesh().add(a, b, root)
    await index.pins.pin(root.cid, { mode: 'recursive', get: mesh.over(index.store), signal: NEVER })
    return { ...index, mesh }
  }
  const damage = (store: MemoryBlocks, { cid }: Block) =>
    store.blocks.set(nameOf(cid), { cid, bytes: Buffer.from('damaged') })

  it('reads every block of a pin, and names what is damaged and what is missing', async () => {
    const { pins, store } = await opened()
    const good = await collect(pins.verify(root.cid, { repair: false, signal: NEVER }))
    const bytes = root.bytes.byteLength + 2
    expect(good).to.deep.equal([
      { type: 'progress', blocks: 3, bytes },
      { type: 'end', blocks: 3, bytes },
    ])
    damage(store, a)
    store.blocks.delete(nameOf(b.cid))
    for (const which of [root.cid, undefined]) {
      const rows = await collect(pins.verify(which, { repair: false, signal: NEVER }))
      const faults = rows.filter(({ cid }) => cid !== undefined).map(({ type, cid }) => `${type} ${cid}`)
      expect(faults.toSorted()).to.deep.equal([`damaged ${a.cid}`, `missing ${b.cid}`])
    }
  })

  it('puts back what can be had, and says what cannot', async () => {
    const { pins, store, mesh } = await opened()
    damage(store, a)
    store.blocks.delete(nameOf(b.cid))
    mesh.remove(b)
    const rows = await collect(pins.verify(undefined, { repair: true, get: mesh.fetch, signal: NEVER }))
    const types = rows.filter(({ cid }) => cid !== undefined).map(({ type, cid }) => `${type} ${cid}`)
    expect(types).to.deep.equal([`missing ${b.cid}`, `failed ${b.cid}`, `damaged ${a.cid}`, `repaired ${a.cid}`])
    mesh.add(b)
    await collect(pins.verify(root.cid, { repair: true, get: mesh.fetch, signal: NEVER }))
    const after = await collect(pins.verify(root.cid, { repair: false, signal: NEVER }))
    expect(after.map(({ type }) => type)).to.deep.equal(['progress', 'end'])
  })

  it('refuses what is not pinned', async () => {
    const { pins } = await opened()
    const rows = collect(pins.verify(c.cid, { repair: false, signal: NEVER }))
    expect(await rows.then(() => 'none', codeOf)).to.equal('E_PIN_UNKNOWN')
  })
})
