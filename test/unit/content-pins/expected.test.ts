import { expect } from 'chai'
import { Expected, Sparing } from '../../../node/content/pins/expected.ts'
import { Leases } from '../../../node/content/pins/leases.ts'
import { MemoryBlocks, NEVER, node, rawBlock } from '../../helpers/pin-fixtures.ts'

/** A chain: each block links to the next. */
const chain = [rawBlock('end')]
for (let at = 0; at < 20; at++) chain.unshift(node(`link ${at}`, [chain[0]!]))

async function spared(limit: number) {
  const store = new MemoryBlocks()
  for (const { cid, bytes } of chain) await store.put(cid, bytes)
  const [expected, leases] = [new Expected(), new Leases(limit)]
  expected.add(chain[0]!.cid.toString())
  const sparing = new Sparing({ expected, store, lease: leases.hold(), signal: NEVER })
  await sparing.update()
  return { reads: store.reads, isAllHeld: chain.every(({ cid }) => leases.isHeld(cid)), sparing, expected }
}

describe('what gc spares of the pins that are to be', () => {
  it('is all of them that is here', async () => {
    expect(await spared(100)).to.include({ reads: 20, isAllHeld: true })
  })

  it('is every block once there are more than leases name: then nothing more is walked', async () => {
    const { reads, isAllHeld, sparing, expected } = await spared(5)
    expect([reads, isAllHeld]).to.deep.equal([6, true])
    expected.add(chain[1]!.cid.toString())
    expect(sparing.isCurrent).to.equal(false)
    await sparing.update()
    expect(sparing.isCurrent).to.equal(true)
  })
})
