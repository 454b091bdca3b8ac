import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { FsBlockstore } from 'blockstore-fs'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { sha512 } from 'multiformats/hashes/sha2'
import { collect, type BlockStore } from '../../../../node/content/blocks/index.ts'
import { blockFiles, LARGE, openBlockStore, randomBlocks, SMALL, type Block } from '../../../helpers/blocks.ts'
import { codeThrown } from '../../../helpers/content-node.ts'

async function putAll(store: BlockStore, blocks: Block[]): Promise<void> {
  await Promise.all(blocks.map(({ cid, bytes }) => store.put(cid, bytes)))
}

async function expectHeld(store: BlockStore, blocks: Block[]): Promise<void> {
  for (const { cid, bytes } of blocks) expect(Buffer.compare(await collect(store.get(cid)), bytes)).to.equal(0)
}

describe('BlockStore after what can happen to it', () => {
  let path: string
  const stores: BlockStore[] = []
  const openStore = async (...options: Parameters<typeof openBlockStore>): Promise<BlockStore> => {
    const store = await openBlockStore(...options)
    stores.push(store)
    return store
  }

  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'kairos-store-')), 'blocks')
    await mkdir(path, { mode: 0o700 })
  })
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
    await rm(dirname(path), { recursive: true, force: true })
  })

  it('takes in a store without an index: all can be read and deleted at once, and counts', async () => {
    const old = new FsBlockstore(path)
    await old.open()
    const blocks = [...(await randomBlocks(20, SMALL)), ...(await randomBlocks(5, LARGE))]
    const bytes = Buffer.from('hashed otherwise')
    blocks.push({ cid: CID.createV1(0x55, await sha512.digest(bytes)), bytes })
    for (const block of blocks) await old.put(block.cid, block.bytes)
    const directory = dirname((await blockFiles(path))[0]!)
    await writeFile(join(directory, '.cut-off.data.tmp'), 'half')
    await writeFile(join(directory, 'notes.txt'), 'of the operator')
    const total = blocks.reduce((sum, block) => sum + block.bytes.byteLength, 0)

    const store = await openStore(path, { quotaBytes: total + SMALL })
    expect(await store.has(blocks[0]!.cid)).to.equal(true)
    await store.delete(blocks[0]!.cid)
    expect(await store.has(blocks[0]!.cid)).to.equal(false)
    await putAll(store, blocks)
    await expectHeld(store, blocks)
    expect([await store.usedBytes(), await store.count()]).to.deep.equal([total, blocks.length])
    const [one, more] = await randomBlocks(2, SMALL)
    await store.put(one!.cid, one!.bytes)
    expect(await codeThrown(() => store.put(more!.cid, more!.bytes))).to.equal('E_QUOTA')
    expect(await readdir(directory))
      .to.include('notes.txt')
      .and.not.include('.cut-off.data.tmp')
  })

  it('finds a file whose row a crash took, removes an unfinished one, and counts both once', async () => {
    const store = await openStore(path)
    const blocks = [...(await randomBlocks(3, LARGE)), ...(await randomBlocks(3, SMALL))]
    await putAll(store, blocks)
    // As a crash leaves it: the copy was never closed.
    const crashed = join(dirname(path), 'crashed')
    await cp(path, crashed, { recursive: true })
    const [orphan] = await randomBlocks(1, LARGE)
    await putAll(store, [orphan!])
    for (const file of await blockFiles(path)) {
      await mkdir(dirname(file.replace(path, crashed)), { recursive: true })
      await cp(file, file.replace(path, crashed))
    }
    await writeFile(join(crashed, 'unfinished', '7'), 'half')
    const again = await openStore(crashed)
    await expectHeld(again, [...blocks, orphan!])
    expect(await readdir(join(crashed, 'unfinished'))).to.deep.equal([])
    await again.close()
    const last = await openStore(crashed)
    expect([await last.count(), await last.usedBytes()]).to.deep.equal([7, 4 * LARGE + 3 * SMALL])
    await expectHeld(last, [...blocks, orphan!])
  })

  it('stops at a failed sync: nothing more is acknowledged, what was there is still read', async () => {
    const fatal: unknown[] = []
    const store = await openStore(path, { onFatal: (error) => fatal.push(error.code) })
    const [before, during, after] = await randomBlocks(3, LARGE)
    await putAll(store, [before!])
    const handle = await open(path, 'r')
    const prototype = Object.getPrototypeOf(handle) as { sync: () => Promise<void> }
    await handle.close()
    const { sync } = prototype
    prototype.sync = () => Promise.reject(Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' }))
    try {
      expect(await codeThrown(() => store.put(during!.cid, during!.bytes))).to.equal('E_STORAGE_SYNC')
    } finally {
      prototype.sync = sync
    }
    expect(await codeThrown(() => store.put(after!.cid, after!.bytes))).to.equal('E_STORAGE_SYNC')
    expect(await codeThrown(() => store.delete(before!.cid))).to.equal('E_STORAGE_SYNC')
    expect(fatal).to.deep.equal(['E_STORAGE_SYNC'])
    await expectHeld(store, [before!])
    expect([await store.has(during!.cid), await store.usedBytes()]).to.deep.equal([false, LARGE])
  })

  describe('on a small disk', () => {
    let isMounted = false
    beforeEach(function () {
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=700', 'tmpfs', path], { stdio: 'ignore' })
        isMounted = true
      } catch {
        console.warn('      skipped: only root may mount a small file system')
        this.skip()
      }
    })
    afterEach(async () => {
      for (const store of stores.splice(0)) await store.close()
      if (isMounted) execFileSync('umount', ['-l', path])
      isMounted = false
    })
    beforeEach(() => writeFile(join(path, 'of-others'), new Uint8Array(80 * 2 ** 20)))
    const filler = () => join(path, 'filler')
    const fill = async (): Promise<void> => {
      const handle = await open(filler(), 'a')
      const chunk = new Uint8Array(65_536)
      try {
        for (;;) await handle.write(chunk)
      } catch (error) {
        expect(error).to.have.property('code', 'ENOSPC')
      } finally {
        await handle.close()
      }
    }

    for (const [kind, size] of [
      ['packed', SMALL * 20],
      ['file', LARGE],
    ] as const) {
      it(`refuses ${kind} blocks when it is full, keeps the others, and goes on when there is room`, async () => {
        const fatal: unknown[] = []
        const init = { onFatal: (error: unknown) => fatal.push(error) }
        const store = await openStore(path, init)
        const blocks = await randomBlocks(Math.ceil(50_000_000 / size), size)
        const results = await Promise.allSettled(blocks.map(({ cid, bytes }) => store.put(cid, bytes)))
        const held = blocks.filter((_, i) => results[i]!.status === 'fulfilled')
        const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
        expect(new Set(reasons)).to.deep.equal(new Set(['E_DISK_FULL']))
        // Now others take what was left for the index, too.
        const [late, later] = await randomBlocks(2, SMALL)
        await fill()
        for (const block of await randomBlocks(40, size)) {
          const code = await store.put(block.cid, block.bytes).then(
            () => 'held',
            (error: { code: string }) => error.code,
          )
          if (code === 'held') held.push(block)
          else expect(code).to.equal('E_DISK_FULL')
        }
        await expectHeld(store, held)
        for (const file of [filler(), join(path, 'of-others')]) await rm(file)
        await store.delete(held[0]!.cid)
        for (const { cid } of held.splice(0, Math.ceil(held.length / 2))) await store.delete(cid)
        await putAll(store, [late!, later!])
        held.push(late!, later!)
        const expected = [held.length, held.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)]
        expect([await store.count(), await store.usedBytes()]).to.deep.equal(expected)
        await store.close()
        const again = await openStore(path, init)
        expect([await again.count(), await again.usedBytes()]).to.deep.equal(expected)
        await expectHeld(again, held)
        expect(fatal).to.deep.equal([])
      })
    }
  })

  it('keeps its files and directories to its user', async () => {
    const store = await openStore(path)
    await putAll(store, await randomBlocks(2, LARGE))
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      const { mode } = await stat(join(entry.parentPath, entry.name))
      if (entry.isDirectory() || entry.name.endsWith('.data')) expect(mode & 0o077, entry.name).to.equal(0)
    }
  })
})
