import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import { PRECOMPUTED, PRECOMPUTED_BLOCKS } from '../../../node/pins/audit/constants.ts'
import { Precomputed } from '../../../node/pins/audit/precomputed.ts'
import { expectationOf, randomBlocks, readerOf } from '../../../node/pins/audit/sample.ts'
import { MAX_CHALLENGE_BYTES } from '../../../protocols/audit/index.ts'
import { codeThrown } from '../../helpers/content-node.ts'
import { MemorySublevel, type Rows } from '../../helpers/memory-sublevel.ts'
import { block, MemoryBlocks, nameOf, NEVER, node, openIndex, rawBlock } from '../../helpers/pin-fixtures.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('audit: challenges', () => {
  const leaves = Array.from({ length: 100 }, (_, at) => rawBlock(`leaf ${at}`))
  const parts = [node('one', leaves.slice(0, 50)), node('two', leaves.slice(40))]
  const root = node('root', parts)
  const all = [root, ...parts, ...leaves]
  let store: MemoryBlocks
  let rows: Rows
  const read = async (cid: CID): Promise<Uint8Array | undefined> => {
    for await (const bytes of store.get(cid)) return bytes
    return undefined
  }
  const opened = async (maxPins?: number, isKept = (_cid: string): boolean => true) => {
    const limit = maxPins === undefined ? {} : { maxPins }
    const made = new Precomputed({ store: new MemorySublevel(rows), readBlock: read, random: randomBytes, ...limit })
    await made.open(isKept)
    return made
  }
  beforeEach(async () => {
    rows = new Map()
    store = new MemoryBlocks()
    for (const { cid, bytes } of all) await store.put(cid, bytes)
  })

  describe('of what is held here', () => {
    it('take their blocks from all of a pin', async () => {
      const { pins } = await openIndex({ store })
      await pins.pin(root.cid, { mode: 'recursive', get: async (cid) => (await read(cid))!, signal: NEVER })
      const seen = new Set<string>()
      for (let round = 0; round < 200; round++) {
        const blocks = (await randomBlocks(pins, root.cid, randomBytes)).map(hex)
        expect(blocks).to.have.length(64)
        expect(new Set(blocks)).to.have.property('size', 64)
        for (const each of blocks) seen.add(each)
      }
      expect([...seen].toSorted()).to.deep.equal(all.map(({ cid }) => nameOf(cid)).toSorted())
    })

    it('take fewer blocks rather than more bytes, and pass over what is not here', async () => {
      const large = Array.from({ length: 12 }, () => block(randomBytes(2 ** 21)))
      for (const { cid, bytes } of large) await store.put(cid, bytes)
      const asked = [rawBlock('not here'), ...large].map(({ cid }) => cid.multihash.bytes)
      const expected = await expectationOf(randomBytes(32), asked, readerOf(read))
      expect(expected).to.include({ bytes: MAX_CHALLENGE_BYTES })
      expect(expected!.blocks.map(hex)).to.deep.equal(large.slice(0, 8).map(({ cid }) => nameOf(cid)))
      expect(await expectationOf(randomBytes(32), asked.slice(0, 1), readerOf(read))).to.equal(undefined)
    })

    it('do not count what is damaged as here', async () => {
      store.blocks.set(nameOf(root.cid), { cid: root.cid, bytes: Buffer.from('other') })
      expect(await readerOf(read)(root.cid.multihash.bytes)).to.equal(undefined)
    })
  })

  describe('that were precomputed', () => {
    it(`are ${PRECOMPUTED}, all different, and right; each is used once, also after a start`, async () => {
      const cid = root.cid.toString()
      expect(await (await opened()).make(root.cid, NEVER)).to.equal(true)
      const salts = new Set<string>()
      const blocks = new Set<string>()
      for (let left = PRECOMPUTED - 1; left >= 0; left--) {
        const precomputed = await opened()
        const prepared = (await precomputed.take(cid))!
        const again = await expectationOf(prepared.salt, prepared.blocks, readerOf(read))
        expect(again).to.deep.equal({ blocks: prepared.blocks, bytes: prepared.bytes, digest: prepared.digest })
        expect(prepared.blocks.length).to.be.within(1, PRECOMPUTED_BLOCKS)
        expect(precomputed.left(cid)).to.equal(left === 0 ? undefined : left)
        salts.add(hex(prepared.salt))
        for (const each of prepared.blocks) blocks.add(hex(each))
      }
      expect(salts).to.have.property('size', PRECOMPUTED)
      expect(blocks.size, 'of 103').to.be.above(60)
      expect(await (await opened()).take(cid)).to.equal(undefined)
      expect(rows.size).to.equal(0)
    })

    it('go with their pin', async () => {
      const precomputed = await opened()
      await precomputed.make(root.cid, NEVER)
      await precomputed.make(parts[0]!.cid, NEVER)
      await precomputed.drop(root.cid.toString())
      expect(precomputed.cids()).to.deep.equal([parts[0]!.cid.toString()])
      expect(rows.size).to.equal(PRECOMPUTED)
      expect((await opened(undefined, () => false)).size).to.equal(0)
      expect(rows.size).to.equal(0)
    })

    it('are made for so many pins and no more', async () => {
      const precomputed = await opened(1)
      expect(await precomputed.make(root.cid, NEVER)).to.equal(true)
      expect(await precomputed.make(parts[0]!.cid, NEVER)).to.equal(false)
      expect(await precomputed.make(root.cid, NEVER), 'again').to.equal(true)
      expect(rows.size).to.equal(PRECOMPUTED)
    })

    it('need the content, and can be given up', async () => {
      const precomputed = await opened()
      expect(await codeThrown(() => precomputed.make(rawBlock('nowhere').cid, NEVER))).to.equal('E_CONTENT_NOT_FOUND')
      const stop = AbortSignal.abort(new Error('stop'))
      expect(await codeThrown(() => precomputed.make(root.cid, stop))).to.equal('Error: stop')
      expect([precomputed.size, rows.size]).to.deep.equal([0, 0])
    })
  })
})
