import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FsBlockstore } from 'blockstore-fs'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { MAX_BLOCK_BYTES } from '../../../node/content/index.ts'
import { openBlockStore } from '../../helpers/blocks.ts'
import {
  addFiles,
  bytesOf,
  codeThrown,
  collectAll,
  startContentNode,
  stream,
  type ContentNode,
} from '../../helpers/content-node.ts'
import { connect, until } from '../../helpers/libp2p-pair.ts'

const MIB = 2 ** 20
const { signal } = new AbortController()

/** A store with blocks that came past `put`, as no honest node would have a too large one. */
async function storeWith(...blocks: Uint8Array[]): Promise<{ blocksPath: string; cids: string[] }> {
  const blocksPath = await mkdtemp(join(tmpdir(), 'kairos-blocks-'))
  const files = new FsBlockstore(blocksPath)
  const cids: string[] = []
  for (const bytes of blocks) {
    const cid = CID.createV1(raw.code, await sha256.digest(bytes))
    await files.put(cid, bytes)
    cids.push(cid.toString())
  }
  return { blocksPath, cids }
}

/** Stops the node's content. */
async function blocksOf(node: ContentNode): Promise<number> {
  await node.content.stop()
  const store = await openBlockStore(node.blocksPath)
  const count = await store.count()
  await store.close()
  return count
}

describe('content between nodes', function () {
  this.timeout(20_000)
  let nodes: ContentNode[]
  let holder: ContentNode
  let reader: ContentNode

  const start = async (init: Parameters<typeof startContentNode>[0] = {}): Promise<ContentNode> => {
    const node = await startContentNode(init)
    nodes.push(node)
    return node
  }

  beforeEach(async () => {
    nodes = []
    ;[holder, reader] = await Promise.all([start(), start()])
    await connect(reader.libp2p, holder.libp2p)
  })
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  })

  it('moves a file of many blocks', async () => {
    const bytes = randomBytes(20 * MIB + 7)
    const [row] = await addFiles(holder, [{ path: 'file', bytes }])
    expect(row).to.include({ path: 'file', size: bytes.byteLength })
    expect(bytes.equals(await bytesOf(reader.content.cat(row!.cid, {}, signal)))).to.equal(true)
    expect(await blocksOf(reader)).to.equal(22)
  })

  it('moves a part of a file and fetches no more for it', async () => {
    const bytes = randomBytes(20 * MIB + 7)
    const [row] = await addFiles(holder, [{ path: 'file', bytes }])
    const range = { offset: 5 * MIB - 3, length: 10 }
    const got = await bytesOf(reader.content.cat(row!.cid, range, signal))
    expect(got.equals(bytes.subarray(5 * MIB - 3, 5 * MIB + 7))).to.equal(true)
    expect(await bytesOf(reader.content.cat(row!.cid, { offset: bytes.byteLength }, signal))).to.have.length(0)
    expect(await bytesOf(reader.content.cat(row!.cid, { length: 0 }, signal))).to.have.length(0)
    expect(await blocksOf(reader)).to.equal(3)
  })

  it('moves a directory, parents before children', async () => {
    const files = [
      { path: 'top/b/deep', bytes: Buffer.from('deep') },
      { path: 'top/a', bytes: Buffer.from('a') },
      { path: 'top/empty' },
    ]
    const root = (await addFiles(holder, files)).at(-1)!.cid
    const entries = await collectAll(reader.content.walk(root, signal))
    expect(entries.map(({ path, type, size }) => `${type} ${path} ${size}`)).to.deep.equal([
      'directory  0',
      'file a 1',
      'directory b 0',
      'file b/deep 4',
      'directory empty 0',
    ])
    expect((await bytesOf(entries[3]!.content!)).toString()).to.equal('deep')
    expect(
      (await collectAll(reader.content.ls(root, signal))).map(({ name, type }) => `${type} ${name}`),
    ).to.deep.equal(['file a', 'directory b', 'directory empty'])
    expect((await bytesOf(reader.content.cat(`${root}/b/deep`, {}, signal))).toString()).to.equal('deep')
  })

  it('moves and searches a sharded directory', async () => {
    const names = Array.from({ length: 1200 }, (_, i) => `${i} ${'with a long name '.repeat(14)}`)
    const files = names.map((name) => ({ path: `d/${name}`, bytes: Buffer.from(name) }))
    const root = (await addFiles(holder, files)).at(-1)!.cid
    const path = `${root}/${names[777]}`
    expect((await bytesOf(reader.content.cat(path, {}, signal))).toString()).to.equal(names[777])
    expect(await blocksOf(reader)).to.be.at.most(4)
    reader = await start()
    await connect(reader.libp2p, holder.libp2p)
    const listed = await collectAll(reader.content.ls(root, signal))
    expect(listed.map(({ name }) => name).sort()).to.deep.equal([...names].sort())
    expect(await codeThrown(() => collectAll(reader.content.ls(`${root}/absent`, signal)))).to.equal('E_PATH_NOT_FOUND')
  })

  it('moves a block of exactly 2 MiB, and another after it (traps 21)', async () => {
    const blocks = [randomBytes(MAX_BLOCK_BYTES), randomBytes(MAX_BLOCK_BYTES)]
    const { blocksPath, cids } = await storeWith(...blocks)
    holder = await start({ blocksPath })
    await connect(reader.libp2p, holder.libp2p)
    for (const [i, cid] of cids.entries())
      expect(blocks[i]!.equals(await bytesOf(reader.content.cat(cid, {}, signal)))).to.equal(true)
  })

  it('sends no block over 2 MiB, and goes on serving', async () => {
    const { blocksPath, cids } = await storeWith(randomBytes(MAX_BLOCK_BYTES + 65_536))
    holder = await start({ blocksPath })
    reader = await start({ limits: { quotaBytes: 2 ** 31, blockTimeoutMs: 500 } })
    await connect(reader.libp2p, holder.libp2p)
    expect(await codeThrown(() => bytesOf(reader.content.cat(cids[0]!, {}, signal)))).to.equal('E_CONTENT_NOT_FOUND')
    const [row] = await addFiles(holder, [{ path: 'small', bytes: Buffer.from('small') }])
    expect((await bytesOf(reader.content.cat(row!.cid, {}, signal))).toString()).to.equal('small')
  })

  it('brings content that is added after it was asked for (traps 1)', async () => {
    const bytes = randomBytes(3 * MIB)
    const elsewhere = await start()
    const [row] = await addFiles(elsewhere, [{ path: 'later', bytes }])
    const reading = bytesOf(reader.content.cat(row!.cid, {}, signal))
    // The want has reached the holder when its bitswap stream has come and gone.
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    for (const connection of holder.libp2p.getConnections()) {
      const check = setInterval(() => {
        if (connection.streams.some((stream) => stream.protocol?.includes('bitswap'))) resolve()
      }, 0)
      void asked.then(() => clearInterval(check))
    }
    await asked
    await addFiles(holder, [{ path: 'later', bytes }])
    expect(bytes.equals(await reading)).to.equal(true)
  })

  it('goes on with another holder when one is cut off', async () => {
    const second = await start()
    await connect(reader.libp2p, second.libp2p)
    const bytes = randomBytes(64 * MIB)
    const [row] = await addFiles(holder, [{ path: 'file', bytes }])
    await addFiles(second, [{ path: 'file', bytes }])
    const parts: Uint8Array[] = []
    for await (const part of reader.content.cat(row!.cid, {}, signal)) {
      if (parts.push(part) === 8) await holder.libp2p.stop()
    }
    expect(bytes.equals(Buffer.concat(parts))).to.equal(true)
  })

  it('starts again where a cancelled transfer stopped, at once', async () => {
    const bytes = randomBytes(40 * MIB)
    const [row] = await addFiles(holder, [{ path: 'file', bytes }])
    const cancel = new AbortController()
    const first = codeThrown(async () => {
      for await (const _ of reader.content.cat(row!.cid, {}, cancel.signal)) cancel.abort()
    })
    expect(await first).to.equal('E_ABORTED')
    const began = performance.now()
    expect(bytes.equals(await bytesOf(reader.content.cat(row!.cid, {}, signal)))).to.equal(true)
    // Wants that the holder took for repetitions are asked again after 2 s of silence.
    expect(performance.now() - began).to.be.lessThan(10_000)
  })

  it('fetches little ahead of a slow reader', async () => {
    const [row] = await addFiles(holder, [{ path: 'file', bytes: randomBytes(64 * MIB) }])
    const reading = reader.content.cat(row!.cid, {}, signal)[Symbol.asyncIterator]()
    await reading.next()
    let before = -1
    await until(async () => {
      const now = Math.ceil((await reader.content.usage()).usedBytes / MIB)
      const isSettled = now === before
      before = now
      return isSettled && now > 1
    })
    expect(before).to.be.lessThan(24)
    await reading.return?.()
  })

  it('serves many readers of many files at once', async () => {
    const files = Array.from({ length: 40 }, (_, i) => ({ path: `f${i}`, bytes: randomBytes(2 * MIB + i) }))
    const rows = await addFiles(holder, files)
    const got = await Promise.all(rows.map(({ cid }) => bytesOf(reader.content.cat(cid, {}, signal))))
    expect(got.every((bytes, i) => bytes.equals(files[i]!.bytes))).to.equal(true)
  })

  it('does not keep what is over its quota', async () => {
    const small = await start({ limits: { quotaBytes: 5 * MIB } })
    await connect(small.libp2p, holder.libp2p)
    const [row] = await addFiles(holder, [{ path: 'file', bytes: randomBytes(10 * MIB) }])
    expect(await codeThrown(() => bytesOf(small.content.cat(row!.cid, {}, signal)))).to.equal('E_QUOTA')
    expect((await small.content.usage()).usedBytes).to.be.at.most(5 * MIB)
    expect(await codeThrown(() => addFiles(small, [{ path: 'x', bytes: randomBytes(6 * MIB) }]))).to.equal('E_QUOTA')
  })

  it('exports a whole DAG as CARv1, which holds each block once', async () => {
    const same = randomBytes(MIB)
    const files = [
      { path: 'd/a', bytes: same },
      { path: 'd/b', bytes: same },
      { path: 'd/c', bytes: randomBytes(3 * MIB) },
    ]
    const root = (await addFiles(holder, files)).at(-1)!.cid
    const { CarReader } = await import('@ipld/car')
    const car = await CarReader.fromBytes(await bytesOf(reader.content.car(root, signal)))
    expect((await car.getRoots()).map(String)).to.deep.equal([root])
    const blocks = await collectAll(car.blocks())
    expect(blocks).to.have.length(6)
    for (const { cid, bytes } of blocks) expect(cid.multihash.digest).to.deep.equal((await sha256.digest(bytes)).digest)
    const stat = await reader.content.stat(root, signal)
    const dagSize = blocks.reduce((sum, block) => sum + block.bytes.byteLength, 0)
    expect(stat).to.deep.equal({ cid: root, type: 'directory', size: 0, dagSize, blocks: 6 })
  })

  it('says what is wrong with a path', async () => {
    const rows = await addFiles(holder, [
      { path: 'd/file', bytes: Buffer.from('x') },
      { path: 'd/e/f', bytes: Buffer.from('y') },
    ])
    const root = rows.at(-1)!.cid
    const cat = (path: string): Promise<string> => codeThrown(() => bytesOf(reader.content.cat(path, {}, signal)))
    expect(await cat('nonsense')).to.equal('E_CID_INVALID')
    expect(await cat(`${root}/none`)).to.equal('E_PATH_NOT_FOUND')
    expect(await cat(`${root}/file/below`)).to.equal('E_PATH_NOT_FOUND')
    expect(await cat(root)).to.equal('E_IS_DIRECTORY')
    expect(await cat(`${root}/e`)).to.equal('E_IS_DIRECTORY')
  })

  it('says which peers were asked for what nobody has', async () => {
    const lonely = await start({ limits: { quotaBytes: 2 ** 31, blockTimeoutMs: 200 } })
    await connect(lonely.libp2p, holder.libp2p)
    const absent = CID.createV1(raw.code, await sha256.digest(randomBytes(32))).toString()
    const failure = await bytesOf(lonely.content.cat(absent, {}, signal)).catch((error: unknown) => error)
    expect(failure).to.have.property('code', 'E_CONTENT_NOT_FOUND')
    expect(failure).to.have.property('hint').that.contains(holder.libp2p.peerId.toString())
    const late = AbortSignal.timeout(50)
    expect(await codeThrown(() => lonely.content.stat(absent, late))).to.equal('E_TIMEOUT')
  })

  it('finds a holder through the DHT that it is not connected to', async () => {
    const far = await start()
    const [row] = await addFiles(far, [{ path: 'file', bytes: Buffer.from('far away') }])
    const finder = await start({ findProviders: () => stream(far.libp2p.peerId) })
    await finder.libp2p.peerStore.patch(far.libp2p.peerId, { multiaddrs: far.libp2p.getMultiaddrs() })
    expect((await bytesOf(finder.content.cat(row!.cid, {}, signal))).toString()).to.equal('far away')
  })

  it('provides the root of what is added, in the background', async () => {
    const provided: string[] = []
    const release = Promise.withResolvers<void>()
    const provider = await start({
      provide: async (cid) => {
        await release.promise
        provided.push(cid.toString())
      },
    })
    const rows = await addFiles(provider, [{ path: 'a', bytes: Buffer.from('a') }], true)
    expect(provided).to.deep.equal([])
    release.resolve()
    await until(() => provided.length > 0)
    expect(provided).to.deep.equal([rows.at(-1)!.cid])
  })
})
