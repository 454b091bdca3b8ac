import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import type { LocalPins } from '../../../node/content/pins/index.ts'
import { collect } from '../../helpers/collect.ts'
import { Mesh, nameOf, NEVER, node, openIndex, rawBlock, type Block } from '../../helpers/pin-fixtures.ts'
import { checkHeld } from '../../helpers/pin-invariants.ts'

const [a, b, c] = [rawBlock('a'), rawBlock('b'), rawBlock('c')]
const shared = node('shared', [a, b])
const root = node('root', [shared, c])
const other = node('other', [shared])
const alone = node('alone', [c])

/** Roots of the pins that are told to be not whole, once there are so many. */
function lostOf(pins: LocalPins, count: number): Promise<string[]> {
  const lost: string[] = []
  return new Promise((resolve) => {
    pins.onLost((cid) => {
      lost.push(cid.toString())
      if (lost.length === count) resolve(lost.toSorted())
    })
  })
}
const names = (...blocks: Block[]) => blocks.map(({ cid }) => cid.toString()).toSorted()

describe('a pinned block that was damaged and is gone', () => {
  for (const [what, block, pinsOf] of [
    ['a leaf', b, [root, other]],
    ['a block with links', shared, [root, other]],
    ['a root', root, [root]],
  ] as const)
    it(`${what}: all pins that need it have failed, no other has, and each fetches that block alone`, async () => {
      const { pins, store } = await openIndex()
      const mesh = new Mesh().add(a, b, c, shared, root, other, alone)
      const pin = ({ cid }: Block) => pins.pin(cid, { mode: 'recursive', get: mesh.over(store), signal: NEVER })
      for (const each of [root, other, alone]) await pin(each)
      await pins.pin(a.cid, { mode: 'direct', get: mesh.over(store), signal: NEVER })
      const before = await pins.stat()
      mesh.fetched.length = 0
      store.blocks.delete(nameOf(block.cid))
      const lost = lostOf(pins, pinsOf.length)
      pins.damaged(block.cid)
      expect(await lost).to.deep.equal(names(...pinsOf))
      for (const each of pinsOf) {
        const { state, error } = (await pins.get(each.cid))!
        expect([state, error?.code]).to.deep.equal(['failed', 'E_BLOCK_CORRUPT'])
      }
      expect(await pins.stat()).to.deep.include({ blocks: before.blocks, bytes: before.bytes })
      for (const each of pinsOf) expect(await pin(each)).to.include({ state: 'pinned' })
      expect(mesh.fetched).to.deep.equal(names(block))
      expect(await pins.stat()).to.deep.equal(before)
      await checkHeld(pins, store, CID.parse)
    })

  it('is so in mode direct, too; and nothing is lost of what is there again, or of what nobody pins', async () => {
    const { pins, store } = await openIndex()
    const mesh = new Mesh().add(a, b, shared)
    const get = mesh.over(store)
    await pins.pin(shared.cid, { mode: 'direct', get, signal: NEVER })
    pins.damaged(shared.cid)
    pins.damaged(c.cid)
    await pins.pin(a.cid, { mode: 'direct', get, signal: NEVER })
    store.blocks.delete(nameOf(a.cid))
    const lost = lostOf(pins, 1)
    pins.damaged(a.cid)
    expect(await lost).to.deep.equal(names(a))
    expect(await pins.pin(a.cid, { mode: 'direct', get, signal: NEVER })).to.include({ state: 'pinned', blocks: 1 })
    expect(await pins.get(shared.cid)).to.include({ state: 'pinned' })
    await checkHeld(pins, store, CID.parse)
  })

  it('without anybody having been told is found by verify', async () => {
    const { pins, store } = await openIndex()
    await pins.pin(shared.cid, { mode: 'recursive', get: new Mesh().add(a, b, shared).over(store), signal: NEVER })
    store.blocks.delete(nameOf(a.cid))
    const lost = lostOf(pins, 1)
    await collect(pins.verify(undefined, { repair: false, signal: NEVER }))
    expect(await lost).to.deep.equal(names(shared))
  })
})
