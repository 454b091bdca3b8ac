import { expect } from 'chai'
import type { Network } from '../../../node/network/types.ts'
import { addressOf, TestMesh, until } from './mesh.ts'
import { MemoryDatastore } from 'datastore-core'

describe('network: reconnection', () => {
  let mesh: TestMesh

  beforeEach(async () => {
    mesh = await TestMesh.create(['full', 'full', 'full'])
  })

  afterEach(() => mesh.stopAll())

  const peersOf = (node: Network) => node.libp2p.getPeers().length

  it('finds its peers again after all of them have restarted, without a bootstrap peer', async function () {
    this.timeout(60_000)
    const survivor = await mesh.start(0)
    const others = [await mesh.start(1), await mesh.start(2)]
    const listen = others.map((node) => [addressOf(node).split('/p2p/')[0] ?? ''])
    for (const other of others) await survivor.connect(addressOf(other), AbortSignal.timeout(5000))
    await until(() => others.every(({ libp2p }) => survivor.status(libp2p.peerId.toString()) !== undefined))
    await Promise.all(others.map((node) => mesh.stop(node)))
    await until(() => peersOf(survivor) === 0)
    // They come back on the same addresses and know nobody.
    mesh.seat(1).store.clear()
    mesh.seat(2).store.clear()
    await mesh.start(1, { config: { listen: listen[0] ?? [] } })
    await mesh.start(2, { config: { listen: listen[1] ?? [] } })
    await until(() => peersOf(survivor) === 2, 40_000)
  })

  it('finds the mesh again after its own restart from the peers kept on disk', async function () {
    this.timeout(60_000)
    const other = await mesh.start(1)
    const node = await mesh.start(0, { config: { bootstrap: [addressOf(other)] } })
    await until(() => node.status(mesh.seat(1).peerId) !== undefined && mesh.seat(0).store.has('peers'))
    await mesh.stop(node)
    mesh.seat(0).datastore = new MemoryDatastore()
    const restarted = await mesh.start(0)
    await until(() => peersOf(restarted) === 1)
  })

  it('keeps dialling a bootstrap peer that is not there yet, with or without its id', async function () {
    this.timeout(60_000)
    const later = await mesh.start(1)
    const address = addressOf(later)
    const bare = address.split('/p2p/')[0] ?? ''
    await mesh.stop(later)
    const first = await mesh.start(0, { config: { bootstrap: [address] } })
    const second = await mesh.start(2, { config: { bootstrap: [bare] } })
    expect(peersOf(first) + peersOf(second)).to.equal(0)
    await mesh.start(1, { config: { listen: [bare] } })
    await until(() => peersOf(first) >= 1 && peersOf(second) >= 1, 40_000)
  })

  it('redials a peer that hung up', async () => {
    const other = await mesh.start(1)
    const node = await mesh.start(0, { config: { bootstrap: [addressOf(other)] } })
    await until(() => peersOf(node) === 1 && peersOf(other) === 1)
    const id = node.libp2p.getConnections()[0]?.id
    await other.libp2p.hangUp(node.libp2p.peerId)
    await until(() => peersOf(node) === 1 && node.libp2p.getConnections()[0]?.id !== id)
  })
})
