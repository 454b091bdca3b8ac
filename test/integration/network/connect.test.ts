import { expect } from 'chai'
import { addressOf, openTopic, TestMesh, until } from './mesh.ts'

describe('network: two members', () => {
  let mesh: TestMesh

  before(async () => {
    mesh = await TestMesh.create(['full', 'full'])
  })

  afterEach(() => mesh.stopAll())

  it('connect, exchange status and gossip, over Noise and over TLS', async () => {
    for (const transport of ['noise', 'tls'] as const) {
      const topic = openTopic('/t')
      const a = await mesh.start(0, { topics: [openTopic('/t')], config: { transport } })
      const b = await mesh.start(1, { topics: [topic], config: { transport } })
      const peerId = await a.connect(addressOf(b), AbortSignal.timeout(5000))
      expect(peerId).to.equal(mesh.seat(1).peerId)
      await until(() => a.status(peerId) !== undefined && b.status(mesh.seat(0).peerId) !== undefined)
      expect(a.status(peerId)).to.include({ role: 'full', cell: 'cell0', name: 'node1', version: '0.1.0' })
      await until(() => a.pubsub.getSubscribers('/t').length === 1)
      await a.publish('/t', Uint8Array.of(1, 2, 3))
      await until(() => topic.delivered.length === 1)
      expect(topic.delivered[0]?.author.toString()).to.equal(mesh.seat(0).peerId)
      const [row] = await a.peers()
      expect(row).to.include({ peerId, connected: true, relayed: false, direction: 'outbound', version: '0.1.0' })
      await mesh.stopAll()
    }
  })
})
