import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha512 } from 'multiformats/hashes/sha2'
import { collect, type BlockStore, type BlockStoreInit } from '../../../../node/content/blocks/index.ts'
import { MAX_BLOCK_BYTES } from '../../../../node/content/constants.ts'
import { blockFiles, blockOf, LARGE, openBlockStore, randomBlocks, SMALL, type Block } from '../../../helpers/blocks.ts'
import { collectAll, codeThrown } from '../../../helpers/content-node.ts'

const DAG_PB = 0x70

describe('BlockStore', () => {
  let path: string
  let stored: string[]
  let lost: string[]
  const stores: BlockStore[] = []

  const openStore = async (init: Partial<BlockStoreInit> = {}): Promise<BlockStore> => {
    const onStored = (cid: CID): unknown => stored.push(cid.toString())
    const onDamaged = (cid: CID): unknown => lost.push(cid.toString())
    const store = await openBlockStore(path, { onStored, onDamaged, ...init })
    stores.push(store)
    return store
  }
  const holds = async (store: BlockStore, { cid, bytes }: Block): Promise<boolean> =>
    Buffer.compare(await collect(store.get(cid)), bytes) === 0

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'kairos-store-'))
    stored = []
    lost = []
  })
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
    await rm(path, { recursive: true, force: true })
  })

  for (const [kind, size] of [
    ['packed', SMALL],
    ['file', LARGE],
  ] as const) {
    describe(`with a ${kind} block`, () => {
      it('gives back what was put, also after a restart, and tells once that it is there', async () => {
        const store = await openStore()
        const [first] = await randomBlocks(1, size)
        const { bytes } = first!
        for (const cid of [first!.cid, CID.createV1(0x55, await sha512.digest(bytes))]) {
          await Promise.all([store.put(cid, bytes), store.put(cid, bytes)])
          expect(await holds(store, { cid, bytes })).to.equal(true)
          expect([await store.has(cid), await store.sizeOf(cid)]).to.deep.equal([true, size])
          expect(stored.splice(0)).to.deep.equal([cid.toString()])
        }
        await store.close()
        const again = await openStore()
        expect(await holds(again, first!)).to.equal(true)
        expect([await again.usedBytes(), await again.count()]).to.deep.equal([2 * size, 2])
      })

      it('takes a damaged block for absent, removes and reports it, and takes it again', async () => {
        const store = await openStore()
        const [block] = await randomBlocks(1, size)
        // As damage does it: other bytes under its name.
        await store.put(block!.cid, randomBytes(size))
        const failure = await collect(store.get(block!.cid)).catch((error: unknown) => error)
        expect(failure).to.include({ code: 'E_BLOCK_CORRUPT', name: 'NotFoundError' })
        expect([await store.has(block!.cid), await store.usedBytes()]).to.deep.equal([false, 0])
        expect(lost).to.deep.equal([block!.cid.toString()])
        await store.put(block!.cid, block!.bytes)
        expect(await holds(store, block!)).to.equal(true)
      })

      it('counts a damaged block off once, however many read it at once', async () => {
        const store = await openStore()
        const [block, sound] = await randomBlocks(2, size)
        await store.put(block!.cid, randomBytes(size))
        await store.put(sound!.cid, sound!.bytes)
        const codes = await Promise.all(
          Array.from({ length: 4 }, () => codeThrown(() => collect(store.get(block!.cid)))),
        )
        expect(codes.filter((code) => code === 'E_BLOCK_CORRUPT')).to.have.length(1)
        expect(codes.filter((code) => code === 'E_CONTENT_NOT_FOUND')).to.have.length(3)
        expect([await store.usedBytes(), await store.count()]).to.deep.equal([size, 1])
      })

      it('keeps it where the limit for new blocks is smaller now', async () => {
        const store = await openStore()
        const [block, other] = await randomBlocks(2, size)
        await store.put(block!.cid, block!.bytes)
        await store.close()
        const again = await openStore({ maxBlockBytes: size - 1 })
        expect(await holds(again, block!)).to.equal(true)
        expect(await codeThrown(() => again.put(other!.cid, other!.bytes))).to.equal('E_BLOCK_TOO_LARGE')
      })

      it('orders puts and deletes of the same block by their calls', async () => {
        const store = await openStore()
        const [block] = await randomBlocks(1, size)
        const { cid, bytes } = block!
        await Promise.all([store.put(cid, bytes), store.delete(cid), store.put(cid, bytes), store.delete(cid)])
        expect([await store.has(cid), await store.usedBytes()]).to.deep.equal([false, 0])
        await Promise.all([store.delete(cid), store.put(cid, bytes)])
        expect(await holds(store, block!)).to.equal(true)
        await Promise.all([store.delete(cid), store.delete(cid)])
        expect(await blockFiles(path)).to.deep.equal([])
        await store.close()
        const again = await openStore()
        expect([await again.has(cid), await again.count()]).to.deep.equal([false, 0])
      })

      it('refuses what would pass the quota, also when many are put at once or after a restart', async () => {
        const blocks = await randomBlocks(8, size)
        const store = await openStore({ quotaBytes: 5 * size })
        const results = await Promise.allSettled(blocks.map(({ cid, bytes }) => store.put(cid, bytes)))
        const refused = results.filter((result) => result.status === 'rejected')
        expect(refused.map(({ reason }) => reason.code)).to.deep.equal(Array.from({ length: 3 }).fill('E_QUOTA'))
        await store.close()
        const again = await openStore({ quotaBytes: 5 * size })
        expect(await again.usedBytes()).to.equal(5 * size)
        const last = blocks.at(-1)!
        expect(await codeThrown(() => again.put(last.cid, last.bytes))).to.equal('E_QUOTA')
        await again.delete(blocks[0]!.cid)
        await again.put(last.cid, last.bytes)
        expect(await again.usedBytes()).to.equal(5 * size)
      })
    })
  }

  it('takes a block of 2 MiB and one of no bytes, and refuses one byte more', async () => {
    const store = await openStore()
    for (const block of [...(await randomBlocks(1, MAX_BLOCK_BYTES)), await blockOf(new Uint8Array())]) {
      await store.put(block.cid, block.bytes)
      expect(await holds(store, block)).to.equal(true)
    }
    const [more] = await randomBlocks(1, MAX_BLOCK_BYTES + 1)
    expect(await codeThrown(() => store.put(more!.cid, more!.bytes))).to.equal('E_BLOCK_TOO_LARGE')
    expect(stored).to.have.length(2)
  })

  it('takes a block whose file is gone for absent, reports it, and a put brings it back', async () => {
    const store = await openStore()
    const [block, other] = await randomBlocks(2, LARGE)
    for (const { cid, bytes } of [block!, other!]) await store.put(cid, bytes)
    for (const file of await blockFiles(path)) await unlink(file)
    await store.put(block!.cid, block!.bytes)
    expect(await holds(store, block!)).to.equal(true)
    expect(await codeThrown(() => collect(store.get(other!.cid)))).to.equal('E_BLOCK_CORRUPT')
    expect(lost).to.deep.equal([other!.cid.toString()])
    expect([await store.has(other!.cid), await store.usedBytes()]).to.deep.equal([false, LARGE])
  })

  it('lists blocks page by page in the order of their multihashes, with codec and size', async () => {
    const store = await openStore()
    const blocks = [...(await randomBlocks(5, SMALL)), ...(await randomBlocks(2, LARGE))]
    for (const { cid, bytes } of blocks) await store.put(cid, bytes)
    const asDag = CID.createV1(DAG_PB, await sha512.digest(new Uint8Array(9)))
    await store.put(asDag, new Uint8Array(9))
    // Known by its first codec, found by both.
    await store.put(CID.createV1(0x55, asDag.multihash), new Uint8Array(9))
    const listed: [string, number][] = []
    for (let after: Uint8Array | undefined; ;) {
      const page = await store.list({ limit: 3, ...(after !== undefined && { after }) })
      listed.push(...page.map(({ cid, bytes }): [string, number] => [cid.toString(), bytes]))
      after = page.at(-1)?.cid.multihash.bytes
      if (after === undefined) break
    }
    const all = [...blocks, { cid: asDag, bytes: new Uint8Array(9) }]
      .toSorted((a, b) => Buffer.compare(a.cid.multihash.bytes, b.cid.multihash.bytes))
      .map(({ cid, bytes }): [string, number] => [cid.toString(), bytes.byteLength])
    expect(listed).to.deep.equal(all)
    expect((await collectAll(store.getAll())).map(({ cid }) => cid.toString())).to.deep.equal(all.map(([cid]) => cid))
  })

  it('stores nothing for an identity CID, which is its own block', async () => {
    const store = await openStore()
    const bytes = Buffer.from('all of it')
    const cid = CID.createV1(0x55, identity.digest(bytes))
    await store.put(cid, bytes)
    expect(await holds(store, { cid, bytes })).to.equal(true)
    expect([await store.has(cid), await store.sizeOf(cid), await store.count()]).to.deep.equal([true, 9, 0])
    await store.delete(cid)
    expect(await store.has(cid)).to.equal(true)
  })

  it('has put all when putMany ends, in the order given, with at most 32 MiB under way', async () => {
    const store = await openStore()
    let [pulled, yielded, most] = [0, 0, 0]
    const block = await blockOf(randomBytes(MAX_BLOCK_BYTES))
    const source = async function* () {
      for (let i = 0; i < 40; i++) {
        pulled++
        yield { cid: i % 2 === 0 ? block.cid : CID.createV1(DAG_PB, block.cid.multihash), bytes: block.bytes }
      }
    }
    for await (const cid of store.putMany(source())) {
      most = Math.max(most, pulled - yielded)
      expect(cid.code).to.equal(yielded++ % 2 === 0 ? 0x55 : DAG_PB)
    }
    expect([yielded, await store.count()]).to.deep.equal([40, 1])
    expect(most).to.be.at.most(17)
  })

  it('says what is wrong when a putMany or deleteMany fails in the middle, and keeps what it told', async () => {
    const store = await openStore({ quotaBytes: 10 * SMALL })
    const told: CID[] = []
    const code = await codeThrown(async () => {
      for await (const cid of store.putMany(await randomBlocks(40, SMALL))) told.push(cid)
    })
    expect([code, told.length]).to.deep.equal(['E_QUOTA', 10])
    for (const cid of told) expect(await store.has(cid)).to.equal(true)
    expect(await collectAll(store.deleteMany(told))).to.deep.equal(told)
    expect(await store.usedBytes()).to.equal(0)
  })

  it('says that its directory cannot be written', async function () {
    if (process.getuid?.() === 0) {
      await writeFile(join(path, 'file'), '')
      expect(await codeThrown(() => openBlockStore(join(path, 'file', 'blocks')))).to.equal('E_STORAGE_UNWRITABLE')
    } else {
      await chmod(path, 0o500)
      expect(await codeThrown(() => openBlockStore(path))).to.equal('E_STORAGE_UNWRITABLE')
      await chmod(path, 0o700)
    }
  })

  it('says that it is closed', async () => {
    const store = await openStore()
    await store.close()
    const [block] = await randomBlocks(1, SMALL)
    expect(await codeThrown(() => store.put(block!.cid, block!.bytes))).to.equal('E_STORAGE_CLOSED')
    expect(await codeThrown(() => store.has(block!.cid))).to.equal('E_STORAGE_CLOSED')
  })
})
