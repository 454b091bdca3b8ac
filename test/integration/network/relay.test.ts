import { expect } from 'chai'
import type { Network } from '../../../node/network/types.ts'
import { readFrames, writeFrame } from '../../../protocols/shared/frames.ts'
import { addressOf, openTopic, TestMesh, until } from './mesh.ts'

const ECHO = '/test/echo'
const MIB = 1_048_576

/** The addresses under which a light node is reached, while it holds a reservation. */
const relayed = (light: Network) =>
  light.libp2p
    .getMultiaddrs()
    .map(String)
    .filter((address) => address.includes('/p2p-circuit'))

describe('network: relay', () => {
  let mesh: TestMesh

  beforeEach(async () => {
    mesh = await TestMesh.create(['full', 'relay', 'light', 'relay'])
  })

  afterEach(() => mesh.stopAll())

  async function unreachableLight(bootstrap: string[]): Promise<Network> {
    const light = await mesh.start(2, { topics: [openTopic('/t')], config: { listen: [], bootstrap } })
    await light.libp2p.handle(ECHO, async (stream) => {
      for await (const frame of readFrames(stream, { maxFrameBytes: MIB })) await writeFrame(stream, frame)
      await stream.close()
    })
    await until(() => relayed(light).length > 0)
    return light
  }

  async function reach(node: Network, light: Network): Promise<void> {
    const address = relayed(light)[0] ?? ''
    expect(await node.connect(address, AbortSignal.timeout(5000))).to.equal(mesh.seat(2).peerId)
  }

  it('reaches a light node that nobody can dial: admission, status, gossip and a stream of ours', async function () {
    this.timeout(60_000)
    const relay = await mesh.start(1, { topics: [openTopic('/t')] })
    const light = await unreachableLight([addressOf(relay)])
    const topic = openTopic('/t')
    const node = await mesh.start(0, { topics: [topic], config: { listen: [] } })
    await reach(node, light)
    await until(() => node.status(mesh.seat(2).peerId) !== undefined)
    const row = (await node.peers()).find(({ peerId }) => peerId === mesh.seat(2).peerId)
    expect(row).to.include({ relayed: true, connected: true, role: 'light' })
    await until(() => light.pubsub.getSubscribers('/t').length === 2)
    await light.publish('/t', Uint8Array.of(1))
    await until(() => topic.delivered.length === 1)
    const stream = await node.libp2p.dialProtocol(light.libp2p.peerId, ECHO)
    await writeFrame(stream, new Uint8Array(MIB).fill(7))
    for await (const frame of readFrames(stream, { maxFrameBytes: MIB })) {
      expect(frame.byteLength).to.equal(MIB)
      break
    }
  })

  it('answers over the one relayed connection, as bitswap does, though the other end has no address', async () => {
    const relay = await mesh.start(1)
    const light = await unreachableLight([addressOf(relay)])
    const node = await mesh.start(0, { config: { listen: [] } })
    await reach(node, light)
    const answered = Promise.withResolvers<string>()
    await node.libp2p.handle('/test/answer', (_, connection) => answered.resolve(connection.id))
    await until(() => light.libp2p.getConnections(node.libp2p.peerId).length === 1)
    await light.libp2p.dialProtocol(node.libp2p.peerId, '/test/answer')
    const connections = node.libp2p.getConnections(light.libp2p.peerId)
    expect(connections.map(({ id }) => id)).to.deep.equal([await answered.promise])
  })

  it('cuts a relayed connection at its stated limit of bytes', async function () {
    this.timeout(60_000)
    const limits = { maxReservations: 16, maxDurationMs: 3_600_000, maxDataBytes: 262_144 }
    const relay = await mesh.start(1, { config: { relay: limits } })
    const light = await unreachableLight([addressOf(relay)])
    const node = await mesh.start(0, { config: { listen: [] } })
    await reach(node, light)
    const stream = await node.libp2p.dialProtocol(light.libp2p.peerId, ECHO)
    let sent = 0
    const cut = await (async () => {
      for (; sent < 4 * MIB; sent += 16_384) await writeFrame(stream, new Uint8Array(16_384), AbortSignal.timeout(5000))
    })().catch((error: unknown) => error)
    expect(cut).to.be.instanceOf(Error)
    await until(() => node.libp2p.getConnections(light.libp2p.peerId).every(({ direct }) => direct))
  })

  it('serves no stranger', async () => {
    const relay = await mesh.start(1)
    const otherMesh = await TestMesh.create(['full', 'light'])
    const stranger = await otherMesh.start(1, { config: { listen: [], bootstrap: [addressOf(relay)] } })
    const failure = await stranger.connect(addressOf(relay), AbortSignal.timeout(5000)).catch((error: unknown) => error)
    expect(failure).to.have.property('code', 'E_MESH_MISMATCH')
    expect(relayed(stranger)).to.deep.equal([])
    await otherMesh.stopAll()
  })

  it('finds another relay when its relay is lost, and the same one when it comes back', async function () {
    this.timeout(90_000)
    const first = await mesh.start(1)
    const light = await unreachableLight([addressOf(first)])
    const second = await mesh.start(3, { config: { bootstrap: [addressOf(first)] } })
    await until(() => light.libp2p.getPeers().length === 2)
    expect(relayed(light)[0]).to.contain(mesh.seat(1).peerId)
    const listen = [addressOf(first).split('/p2p/')[0] ?? '']
    await mesh.stop(first)
    await until(() => relayed(light).some((address) => address.includes(mesh.seat(3).peerId)), 30_000)
    const node = await mesh.start(0, { config: { listen: [] } })
    await reach(node, light)
    await mesh.stop(second)
    await until(() => relayed(light).length === 0)
    await mesh.start(1, { config: { listen } })
    await until(() => relayed(light).some((address) => address.includes(mesh.seat(1).peerId)), 40_000)
  })
})
