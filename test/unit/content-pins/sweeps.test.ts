import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import { CodedError, codeOf } from '../../../protocols/shared/errors.ts'
import { Mesh, MemoryBlocks, namesOf, NEVER, node, openIndex, rawBlock } from '../../helpers/pin-fixtures.ts'

/** Has room for so many bytes. */
class SmallStore extends MemoryBlocks {
  readonly quota: number
  lists = 0

  constructor(quota: number) {
    super()
    this.quota = quota
  }

  async usedBytes(): Promise<number> {
    return [...this.blocks.values()].reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
  }

  override async put(cid: CID, bytes: Uint8Array): Promise<CID> {
    const isNew = !(await this.has(cid))
    if (isNew && (await this.usedBytes()) + bytes.byteLength > this.quota) throw new CodedError('E_QUOTA', 'full')
    return super.put(cid, bytes)
  }

  override async list(page: { after?: Uint8Array; limit: number }) {
    if (page.after === undefined) this.lists += 1
    return super.list(page)
  }
}

const leaves = Array.from({ length: 20 }, (_, at) => rawBlock(`a leaf with a number: ${at}`))
const root = node('root', leaves)
const bytes = [root, ...leaves].reduce((sum, block) => sum + block.bytes.byteLength, 0)

describe('a pin in a full store', () => {
  it('takes the room of what nothing holds, by one sweep; what is pinned or leased stays', async () => {
    const [kept, leased] = [rawBlock('kept'), rawBlock('leased')]
    const store = new SmallStore(bytes + kept.bytes.byteLength + leased.bytes.byteLength)
    const { pins } = await openIndex({ store })
    const mesh = new Mesh().add(root, kept, ...leaves)
    await pins.pin(kept.cid, { mode: 'recursive', get: mesh.over(store), signal: NEVER })
    const lease = pins.hold()
    await lease.add(leased.cid)
    await store.put(leased.cid, leased.bytes)
    for (let at = 0; (await store.usedBytes()) + 30 < store.quota; at++) {
      const { cid, bytes } = rawBlock(`something else, of nobody ${at}`.slice(0, 30))
      await store.put(cid, bytes)
    }
    const pinned = await pins.pin(root.cid, { mode: 'recursive', get: mesh.over(store), signal: NEVER })
    expect(pinned).to.include({ state: 'pinned', blocks: 21 })
    expect([...store.blocks.keys()].toSorted()).to.deep.equal(namesOf([root, ...leaves, kept, leased]))
    expect(store.lists).to.equal(1)
  })

  it('fails with E_QUOTA where all is held, and does not sweep for it again and again', async () => {
    const leased = rawBlock('leased')
    const store = new SmallStore(bytes)
    const { pins } = await openIndex({ store })
    const get = new Mesh().add(root, ...leaves).over(store)
    const pin = () => pins.pin(root.cid, { mode: 'recursive', get, signal: NEVER }).then(() => 'none', codeOf)
    const lease = pins.hold()
    await lease.add(leased.cid)
    await store.put(leased.cid, leased.bytes)
    expect([await pin(), await pin()]).to.deep.equal(['E_QUOTA', 'E_QUOTA'])
    expect(store.lists).to.equal(1)
  })
})
