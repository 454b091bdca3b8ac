import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { createLocalPins, type LocalPins } from '../../../node/content/pins/index.ts'
import { OwnPins } from '../../../node/pins/alone.ts'
import { ownPinCodec } from '../../../node/pins/own-pin.ts'
import type { PinMode } from '../../../node/operations-pins.ts'
import { until } from '../../helpers/libp2p-pair.ts'
import { MemorySublevel, type Rows } from '../../helpers/memory-sublevel.ts'
import { MemoryBlocks, NEVER } from '../../helpers/pin-fixtures.ts'
import { peer } from '../state/cell.ts'
import { cidOf } from '../state/pins.ts'

describe('the pins of a node that is in no cell', () => {
  let rows: Rows
  let store: MemoryBlocks
  let local: LocalPins
  beforeEach(async () => {
    rows = new Map()
    store = new MemoryBlocks()
    local = createLocalPins({ sublevel: new MemorySublevel(), store })
    await local.open()
  })
  afterEach(() => local.close())

  const open = async (): Promise<OwnPins> => {
    const pins = new OwnPins({
      mesh: { self: peer('A'), nameOf: (id) => id },
      content: { resolve: async (path) => CID.parse(path), fetch: () => async () => Uint8Array.of(1) },
      local,
      store: new MemorySublevel(rows),
      log: { debug: () => {} } as never,
    })
    await pins.start()
    return pins
  }
  const held = async (number: number) => {
    const pin = await local.get(CID.parse(cidOf(number)))
    return pin?.state === 'pinned' ? pin.mode : undefined
  }
  const pinned = async (pins: OwnPins, number: number, mode: PinMode = 'recursive') => {
    await pins.add(cidOf(number), { mode }, NEVER)
    await until(async () => (await held(number)) === mode)
  }

  it('whose removal or change was written and no more than that are gone, or changed, after the next start', async () => {
    const first = await open()
    for (const number of [1, 2, 3]) await pinned(first, number)
    await first.stop()
    // As of a process that was killed right behind the row.
    const written = new MemorySublevel(rows)
    await written.del(cidOf(1))
    const pin = ownPinCodec.decode((await written.get(cidOf(2)))!)
    await written.put(cidOf(2), ownPinCodec.encode({ ...pin, mode: 'direct' }))
    const second = await open()
    await until(async () => (await held(1)) === undefined && (await held(2)) === 'direct')
    expect([await held(3), (await local.stat()).blocks]).to.deep.equal(['recursive', 2])
    await second.stop()
  })

  it('of which a block was damaged and is gone fetch it again at once', async () => {
    const pins = await open()
    await pinned(pins, 1)
    await store.delete(CID.parse(cidOf(1)))
    local.damaged(CID.parse(cidOf(1)))
    await until(() => store.has(CID.parse(cidOf(1))))
    await pins.stop()
  })
})
