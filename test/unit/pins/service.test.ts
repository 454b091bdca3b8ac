import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import type { GetBlock } from '../../../node/content/dag.ts'
import { createLocalPins, type LocalPins } from '../../../node/content/pins/index.ts'
import { NodePins, type NodePinsInit } from '../../../node/pins/service.ts'
import type { PinCell } from '../../../node/pins/ports.ts'
import { until } from '../../helpers/libp2p-pair.ts'
import { MemorySublevel, type Rows } from '../../helpers/memory-sublevel.ts'
import { MemoryBlocks } from '../../helpers/pin-fixtures.ts'
import { unhandledIn } from '../../helpers/unhandled.ts'
import { peer, type Replica } from '../state/cell.ts'
import { cellOf, cidOf, pin } from '../state/pins.ts'

interface Listener {
  onChanged: (keys: readonly string[]) => void
  onReplaced: () => void
}

/** A cell that agrees with itself, and tells at once. */
class Cell implements PinCell {
  readonly replica: Replica = cellOf('A')
  readonly isLeader = false
  readonly #listeners = new Set<Listener>()

  get tree() {
    return this.replica.tree
  }

  get applied() {
    return this.replica.state.applied.index
  }

  async read() {}
  async submit() {}

  subscribe(onChanged: Listener['onChanged'], onReplaced: () => void): () => void {
    const listener = { onChanged, onReplaced }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** As a leader's state brings it: no key is told. */
  replace(change: () => void): void {
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    change()
    for (const listener of listeners) {
      this.#listeners.add(listener)
      listener.onReplaced()
    }
  }

  pin(number: number, name: string): void {
    pin(this.replica, number, { name, allocations: [peer('A')] })
    this.#tell(number)
  }

  unpin(number: number): void {
    this.replica.run({ type: 'pin-unset', cid: cidOf(number) })
    this.#tell(number)
  }

  #tell(number: number): void {
    for (const { onChanged } of this.#listeners) onChanged([`pin/${cidOf(number)}`])
  }
}

const nobodyHas: GetBlock = (_, signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

describe('the pins of a full node', () => {
  let cell: Cell
  let rows: Rows
  let local: LocalPins
  let store: MemoryBlocks
  let get: GetBlock
  let errors: unknown[]
  beforeEach(async () => {
    cell = new Cell()
    rows = new Map()
    errors = []
    store = new MemoryBlocks()
    get = nobodyHas
    local = createLocalPins({ sublevel: new MemorySublevel(), store })
    await local.open()
  })
  afterEach(() => local.close())

  const open = async (): Promise<NodePins> => {
    const pins = new NodePins({
      cell,
      local,
      content: { resolve: async (path) => CID.parse(path), fetch: () => get },
      mesh: { self: peer('A'), nameOf: (id: string) => id, peerIdOf: (id: string) => id } as NodePinsInit['mesh'],
      store: new MemorySublevel(rows),
      proofs: { provenAt: () => undefined, badCopies: () => [] },
      policy: { enabled: false, rebalance: false, graceMs: 1, movesPerMinute: 1 },
      measure: async () => ({ freeBytes: 1, totalBytes: 1 }),
      log: { error: (...given: unknown[]) => errors.push(given), debug: () => {} } as never,
    } as NodePinsInit)
    await pins.start()
    return pins
  }
  const named = async (pins: NodePins): Promise<string[]> =>
    (await pins.list({ name: 'n' }, { limit: 10 })).pins.map(({ name }) => name)

  it('that were agreed on while the node stopped are found by name after the next start', async () => {
    const first = await open()
    cell.pin(1, 'n1')
    await first.known()
    const stopped = first.stop()
    cell.pin(2, 'n2')
    await stopped
    const second = await open()
    expect(await named(second)).to.deep.equal(['n1', 'n2'])
    await second.stop()
  })

  it('that come and go with a whole state are found by name, fetched and let go', async () => {
    get = async () => Uint8Array.of(1)
    const isHeld = async (n: number) => (await local.get(CID.parse(cidOf(n))))?.state === 'pinned'
    const pins = await open()
    cell.pin(1, 'n1')
    await until(() => isHeld(1))
    cell.replace(() => {
      cell.unpin(1)
      cell.pin(2, 'n2')
      cell.pin(3, 'n3')
    })
    await until(async () => (await isHeld(2)) && (await isHeld(3)) && !(await isHeld(1)))
    expect(await named(pins)).to.deep.equal(['n2', 'n3'])
    await pins.stop()
  })

  it('of which a block was damaged and is gone fetch it again at once', async () => {
    const cid = CID.parse(cidOf(1))
    let fetched = 0
    get = async () => Uint8Array.of(++fetched)
    const pins = await open()
    cell.pin(1, 'n1')
    const isHeld = async () => (await store.has(cid)) && (await local.get(cid))?.state === 'pinned'
    await until(isHeld)
    await store.delete(cid)
    local.damaged(cid)
    await until(isHeld)
    expect(fetched).to.equal(2)
    await pins.stop()
  })

  it('whose index cannot be read say so once, and the node goes on', async () => {
    const unhandled = await unhandledIn(async () => {
      local.get = () => Promise.reject(new Error('unreadable'))
      const pins = await open()
      cell.pin(1, 'n1')
      cell.unpin(1)
      await pins.stop()
    })
    expect(unhandled).to.deep.equal([])
    expect(errors).to.have.length(1)
  })
})
