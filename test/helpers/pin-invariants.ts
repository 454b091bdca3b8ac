import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import type { LocalPins } from '../../node/content/pins/index.ts'
import { collect } from './collect.ts'
import { NEVER, nameOf } from './pin-fixtures.ts'

const ALL = 1_000_000

interface HasBlocks {
  list(page: { limit: number }): Promise<{ cid: CID; bytes: number }[]>
}

/** What holds at every time: no block is gone while it is held, and the totals are those of the rows. */
export async function checkHeld(pins: LocalPins, store: HasBlocks, parse: (cid: string) => CID): Promise<void> {
  const stored = new Map((await store.list({ limit: ALL })).map(({ cid, bytes }) => [nameOf(cid), bytes]))
  const held = new Set<string>()
  const states = { pinning: 0, pinned: 0, failed: 0 }
  for (const pin of await pins.list({ limit: ALL })) {
    states[pin.state]++
    const blocks = await pins.blocksOf(parse(pin.cid), { limit: ALL })
    for (const cid of blocks) expect(stored.has(nameOf(cid)), `${cid} of ${pin.cid} is here`).to.equal(true)
    expect(pin.blocks, `blocks of ${pin.cid}`).to.equal(blocks.length)
    expect(pin.bytes, `bytes of ${pin.cid}`).to.equal(
      blocks.reduce((sum, cid) => sum + (stored.get(nameOf(cid)) ?? 0), 0),
    )
    for (const cid of blocks) held.add(nameOf(cid))
  }
  const bytes = [...held].reduce((sum, name) => sum + (stored.get(name) ?? 0), 0)
  expect(await pins.stat()).to.deep.equal({ pins: states, blocks: held.size, bytes })
}

/** After gc the store holds what is pinned and nothing else: no orphan that it cannot take. */
export async function checkSwept(pins: LocalPins, store: HasBlocks, wanted: readonly string[]): Promise<void> {
  await collect(pins.gc(NEVER))
  const left = (await store.list({ limit: ALL })).map(({ cid }) => nameOf(cid))
  expect(left.toSorted()).to.deep.equal([...new Set(wanted)].toSorted())
}
