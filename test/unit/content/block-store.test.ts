import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { BlockStore, collect } from '../../../node/content/block-store.ts'
import { MAX_BLOCK_BYTES } from '../../../node/content/constants.ts'
import { codeThrown } from '../../helpers/content-node.ts'

async function cidOf(
  bytes: Uint8Array,
  hash: { digest: typeof sha256.digest | typeof sha512.digest } = sha256,
): Promise<CID> {
  return CID.createV1(raw.code, await hash.digest(bytes))
}

async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

describe('BlockStore', () => {
  let path: string
  let stored: string[]

  const openStore = async (quotaBytes = 2 ** 30): Promise<BlockStore> => {
    const onStored = (cid: CID): unknown => stored.push(cid.toString())
    const store = new BlockStore({ path, quotaBytes, maxBlockBytes: MAX_BLOCK_BYTES, onStored })
    await store.open()
    return store
  }

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'kairos-store-'))
    stored = []
  })
  afterEach(() => rm(path, { recursive: true, force: true }))

  it('gives back what was put, whatever the hash, and tells once that it is there', async () => {
    const store = await openStore()
    const bytes = randomBytes(1000)
    for (const cid of [await cidOf(bytes), await cidOf(bytes, sha512)]) {
      await Promise.all([store.put(cid, bytes), store.put(cid, bytes)])
      expect(bytes.equals(await collect(store.get(cid)))).to.equal(true)
      expect(await store.has(cid)).to.equal(true)
      expect(stored.splice(0)).to.deep.equal([cid.toString()])
    }
    expect(await store.usedBytes()).to.equal(2000)
  })

  it('takes a block of 2 MiB and refuses one byte more', async () => {
    const store = await openStore()
    const bytes = randomBytes(MAX_BLOCK_BYTES)
    await store.put(await cidOf(bytes), bytes)
    const more = randomBytes(MAX_BLOCK_BYTES + 1)
    expect(await codeThrown(async () => store.put(await cidOf(more), more))).to.equal('E_BLOCK_TOO_LARGE')
    expect(stored).to.have.length(1)
  })

  it('refuses what would pass the quota, also when many are put at once or after a restart', async () => {
    const blocks = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const bytes = randomBytes(1000)
        return { cid: await cidOf(bytes), bytes }
      }),
    )
    const store = await openStore(5000)
    const results = await Promise.allSettled(blocks.map(({ cid, bytes }) => store.put(cid, bytes)))
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused.map(({ reason }) => reason.code)).to.deep.equal(Array.from({ length: 3 }).fill('E_QUOTA'))
    const again = await openStore(5000)
    expect(await again.usedBytes()).to.equal(5000)
    expect(await codeThrown(async () => again.put(blocks[7]!.cid, blocks[7]!.bytes))).to.equal('E_QUOTA')
    expect(await codeThrown(() => collect(again.get(blocks[7]!.cid)))).not.to.equal('E_QUOTA')
  })

  it('takes a damaged block for absent and removes it', async () => {
    const store = await openStore()
    const bytes = randomBytes(1000)
    const cid = await cidOf(bytes)
    await store.put(cid, bytes)
    const [file] = await filesIn(path)
    await writeFile(file!, new Uint8Array(1000))
    const failure = await collect(store.get(cid)).catch((error: unknown) => error)
    expect(failure).to.include({ code: 'E_BLOCK_CORRUPT', name: 'NotFoundError' })
    expect(await store.has(cid)).to.equal(false)
    await store.put(cid, bytes)
    expect(bytes.equals(await collect(store.get(cid)))).to.equal(true)
  })

  it('counts a damaged block off the quota once, however many read it at once', async () => {
    const store = await openStore()
    const damaged = randomBytes(1000)
    const cid = await cidOf(damaged)
    await store.put(cid, damaged)
    const [file] = await filesIn(path)
    const sound = randomBytes(500)
    await store.put(await cidOf(sound), sound)
    await writeFile(file!, new Uint8Array(1000))
    const reads = Array.from({ length: 4 }, () => codeThrown(() => collect(store.get(cid))))
    expect(await Promise.all(reads)).to.include('E_BLOCK_CORRUPT')
    expect(await store.usedBytes()).to.equal(500)
  })

  it('refuses a hash that it could not check when reading', async () => {
    const store = await openStore()
    const blake3 = CID.createV1(raw.code, { ...(await sha256.digest(new Uint8Array())), code: 0x1e })
    const cid = CID.decode(Uint8Array.from([1, 0x55, 0x1e, 32, ...blake3.multihash.digest]))
    expect(await codeThrown(async () => store.put(cid, new Uint8Array()))).to.equal('E_HASH_UNSUPPORTED')
  })

  it('says that its directory cannot be written', async function () {
    if (process.getuid?.() === 0) path = join(path, 'file', 'blocks')
    if (process.getuid?.() === 0) await writeFile(join(path, '..'), '')
    else await chmod(path, 0o500)
    const code = await codeThrown(async () => {
      const store = await openStore()
      await store.put(await cidOf(new Uint8Array(1)), new Uint8Array(1))
    })
    expect(code).to.equal('E_STORAGE_UNWRITABLE')
    path = process.getuid?.() === 0 ? join(path, '..', '..') : path
    await chmod(path, 0o700)
  })
})
