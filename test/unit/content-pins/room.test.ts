import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import { MAX_BLOCK_BYTES } from '../../../node/content/constants.ts'
import { PIN_ROOM_BYTES } from '../../../node/content/pins/constants.ts'
import { Room } from '../../../node/content/pins/room.ts'
import { Mesh, NEVER, node, openIndex, rawBlock, type Block } from '../../helpers/pin-fixtures.ts'

const MIB = 1_048_576
const turns = async (count = 50) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

describe('the room of all pins', () => {
  it('bounds what they have under way together, and all of them are pinned', async () => {
    const { pins, store } = await openIndex()
    const leaf = new Uint8Array(MIB)
    const roots: Block[] = []
    const mesh = new Mesh()
    for (let at = 0; at < 16; at++) {
      const leaves = Array.from({ length: 40 }, (_, n) => rawBlock(`leaf ${n} of ${at}`))
      roots.push(node(`root ${at}`, leaves))
      mesh.add(...leaves.map(({ cid }) => ({ cid, bytes: leaf })), roots.at(-1)!)
    }
    let underWay = 0
    let most = 0
    const coming: (() => void)[] = []
    const get = async (cid: CID, signal: AbortSignal) => {
      if (cid.code !== 0x55) return mesh.fetch(cid, signal)
      underWay += 1
      most = Math.max(most, underWay)
      await new Promise<void>((resolve) => coming.push(resolve))
      return mesh.fetch(cid, signal)
    }
    const put = store.put.bind(store)
    store.put = async (cid, bytes) => {
      if (cid.code === 0x55) underWay -= 1
      return put(cid, bytes)
    }
    let isDone = false
    const pinned = Promise.all(roots.map(({ cid }) => pins.pin(cid, { mode: 'recursive', get, signal: NEVER })))
    void pinned.finally(() => (isDone = true))
    await turns()
    expect(underWay).to.be.greaterThan(32)
    while (!isDone) {
      for (const come of coming.splice(0)) come()
      await turns(2)
    }
    expect((await pinned).every(({ state }) => state === 'pinned')).to.equal(true)
    // Sizes are guessed from those before: within a half.
    expect(most * MIB).to.be.lessThan(1.5 * PIN_ROOM_BYTES + MAX_BLOCK_BYTES)
  })

  it('is given in order, and back: also by one that ends while it waits', async () => {
    const room = new Room({ bytes: 10, stallMs: 1e6 })
    const first = await room.take(10, NEVER)
    const order: string[] = []
    const controller = new AbortController()
    const gone = room.take(1, controller.signal).then(
      () => 'taken',
      (error: Error) => error.message,
    )
    const second = room.take(10, NEVER).then((place) => (order.push('second'), place))
    const third = room.take(1, NEVER).then((place) => (order.push('third'), place))
    controller.abort(new Error('gone'))
    expect(await gone).to.equal('gone')
    first.resize(10)
    await turns()
    expect(order).to.deep.equal([])
    first.release()
    ;(await second).release()
    await third
    expect(order).to.deep.equal(['second', 'third'])
  })

  it('is not taken by what nobody sends, and is again when it comes', async () => {
    const room = new Room({ bytes: 10, stallMs: 1 })
    const stalled = await room.take(10, NEVER)
    const next = await room.take(1, NEVER)
    stalled.resize(10)
    next.release()
    let isTaken = false
    const last = room.take(1, NEVER).then(() => (isTaken = true))
    await turns()
    expect(isTaken).to.equal(false)
    stalled.release()
    await last
  })
})
