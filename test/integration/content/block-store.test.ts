import { randomInt } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { collect, type BlockStore } from '../../../node/content/blocks/index.ts'
import { keepSynced, losses, writeUntilKilled, type Acknowledged } from '../../helpers/block-kills.ts'
import { blockFiles, LARGE, openBlockStore, randomBlocks, SMALL, type Block } from '../../helpers/blocks.ts'
import { canCutPower } from '../../helpers/cell-power.ts'

const KILLS = Number(process.env['BLOCK_KILLS'] ?? 3)
const POWER_CUTS = Number(process.env['BLOCK_POWER_CUTS'] ?? 3)
const FLIPS = 20

describe('the block store on a real disk', function () {
  this.timeout(120_000)
  let directory: string
  const blocks = () => join(directory, 'blocks')

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kairos-store-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const merge = (all: Acknowledged, more: Acknowledged): void => {
    for (const cid of more.held) all.held.add(cid)
    for (const cid of more.deleted) all.deleted.add(cid)
  }

  it(`loses nothing that it acknowledged, and serves no half block, in ${KILLS} kills -9`, async () => {
    const all: Acknowledged = { held: new Set(), deleted: new Set() }
    for (let kill = 0; kill < KILLS; kill++) {
      merge(all, await writeUntilKilled(blocks(), randomInt(1, 300)))
      expect(await losses(blocks(), all)).to.deep.equal([])
    }
    expect(all.held.size).to.be.greaterThan(0)
  })

  it(`loses nothing that it acknowledged in ${POWER_CUTS} power cuts`, async function () {
    if (!canCutPower()) {
      console.warn('      skipped: strace is needed to know what was synced')
      this.skip()
    }
    const all: Acknowledged = { held: new Set(), deleted: new Set() }
    let gone = 0
    for (let cut = 0; cut < POWER_CUTS; cut++) {
      const trace = join(directory, `${cut}.trace`)
      merge(all, await writeUntilKilled(blocks(), randomInt(50, 300), trace))
      gone += await keepSynced(blocks(), trace)
      expect(await losses(blocks(), all)).to.deep.equal([])
    }
    console.log(`      ${all.held.size} blocks acknowledged; the cuts took ${gone} bytes that were not`)
  })

  describe('with a flipped bit', () => {
    let put: Block[]
    const flip = async (file: string): Promise<void> => {
      const bytes = await readFile(file)
      const at = randomInt(bytes.byteLength)
      bytes[at]! ^= 1 << randomInt(8)
      await writeFile(file, bytes)
    }
    const served = async (store: BlockStore, { cid, bytes }: Block): Promise<string> => {
      try {
        return Buffer.compare(await collect(store.get(cid)), bytes) === 0 ? 'whole' : 'WRONG'
      } catch (error) {
        return (error as { code: string }).code
      }
    }

    beforeEach(async () => {
      put = [...(await randomBlocks(20, LARGE)), ...(await randomBlocks(60, 50 * SMALL))]
      // What the first run left in the log, the second has in a table.
      for (const part of [put.slice(0, 60), put.slice(60)]) {
        const store = await openBlockStore(blocks())
        for await (const _ of store.putMany(part));
        await store.close()
      }
    })

    it('in a file: every damaged block is found, removed and reported, no other', async () => {
      for (const file of await blockFiles(blocks())) await flip(file)
      const lost: string[] = []
      const store = await openBlockStore(blocks(), { onDamaged: (cid) => lost.push(cid.toString()) })
      const answers = await Promise.all(put.map((block) => served(store, block)))
      const large = put.map(({ bytes }) => bytes.byteLength === LARGE)
      expect(answers).to.deep.equal(large.map((isLarge) => (isLarge ? 'E_BLOCK_CORRUPT' : 'whole')))
      expect(lost).to.have.length(20)
      expect(await blockFiles(blocks())).to.deep.equal([])
      await store.close()
    })

    it(`in the index, ${FLIPS} times: a wrong block is never served`, async () => {
      const answers = new Map<string, number>()
      for (let i = 0; i < FLIPS; i++) {
        const copy = join(directory, 'copy')
        await cp(blocks(), copy, { recursive: true })
        const files = (await readdir(join(copy, 'index'))).filter((name) =>
          /^(\d+\.(log|ldb)|MANIFEST-\d+)$/.test(name),
        )
        await flip(join(copy, 'index', files[randomInt(files.length)]!))
        const store = await openBlockStore(copy).catch((error: { code: string }) => error.code)
        const said = typeof store === 'string' ? [store] : await Promise.all(put.map((block) => served(store, block)))
        for (const answer of said) answers.set(answer, (answers.get(answer) ?? 0) + 1)
        if (typeof store !== 'string') await store.close()
        await rm(copy, { recursive: true })
      }
      expect([...answers.keys()]).to.include('whole')
      const allowed = ['whole', 'E_BLOCK_CORRUPT', 'E_CONTENT_NOT_FOUND', 'E_STORAGE_CORRUPT']
      expect(allowed).to.include.members([...answers.keys()])
    })
  })
})
