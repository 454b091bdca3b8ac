import { expect } from 'chai'
import net from 'node:net'
import { once } from 'node:events'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Stream } from '@libp2p/interface'
import type { Network } from '../../../node/network/types.ts'
import { invalidRpc, spam } from './flooder.ts'
import { addressOf, openTopic, TestMesh, until } from './mesh.ts'

describe('network: floods', () => {
  let mesh: TestMesh

  beforeEach(async () => {
    mesh = await TestMesh.create(['full', 'full', 'full'])
  })

  afterEach(() => mesh.stopAll())

  it('300 idle sockets from 10 addresses, the honest dialler’s own among them, close nobody’s door (F1)', async () => {
    const target = await mesh.start(0)
    const tcp = target.libp2p
      .getMultiaddrs()[0]
      ?.getComponents()
      .find(({ name }) => name === 'tcp')
    const idle = Array.from({ length: 300 }, (_, i) =>
      net.connect({ host: '127.0.0.1', port: Number(tcp?.value), localAddress: `127.0.${i % 10}.1` }),
    )
    for (const socket of idle) socket.on('error', () => undefined)
    await Promise.all(idle.map((socket) => once(socket, 'connect')))
    const honest = await mesh.start(1)
    let connected = 0
    for (let i = 0; i < 20; i++) {
      await honest.connect(addressOf(target), AbortSignal.timeout(5000))
      connected += 1
      await honest.libp2p.hangUp(peerIdFromString(mesh.seat(0).peerId))
    }
    expect(connected).to.equal(20)
    for (const socket of idle) socket.destroy()
  })

  async function trio(): Promise<{ target: Network; flooder: Network; honest: Network }> {
    const topics = () => [openTopic('/t')]
    const target = await mesh.start(0, { topics: topics() })
    const flooder = await mesh.start(1, { topics: topics() })
    const honest = await mesh.start(2, { topics: topics() })
    for (const other of [flooder, honest]) await other.connect(addressOf(target), AbortSignal.timeout(5000))
    await until(() => target.pubsub.getSubscribers('/t').length === 2)
    return { target, flooder, honest }
  }

  async function gossipStream(flooder: Network): Promise<Stream> {
    return flooder.libp2p.dialProtocol(peerIdFromString(mesh.seat(0).peerId), '/meshsub/1.2.0')
  }

  it('cuts and bans who floods invalid signatures, and delivers the honest (F6, F7)', async function () {
    this.timeout(30_000)
    const { target, flooder, honest } = await trio()
    const delivered = openTopic('/t').delivered
    target.pubsub.addEventListener('message', ({ detail }) => delivered.push(detail as never))
    const banned = once(target.events, 'banned')
    const start = performance.now()
    const sent = spam(await gossipStream(flooder), invalidRpc('/t', mesh.seat(1).peerId))
    const [ban] = (await banned) as [{ peerId: string }]
    expect(ban.peerId).to.equal(mesh.seat(1).peerId)
    await until(() => target.libp2p.getConnections(peerIdFromString(ban.peerId)).length === 0)
    expect(performance.now() - start).to.be.below(5_000)
    await sent
    await honest.publish('/t', Uint8Array.of(7))
    await until(() => delivered.length === 1)
    const rows = await target.peers()
    expect(rows.find(({ peerId }) => peerId === mesh.seat(2).peerId)?.score).to.be.at.least(0)
  })

  it('refuses the banned after it reconnects, after a restart too (F5)', async function () {
    this.timeout(30_000)
    const { target, flooder } = await trio()
    const banned = once(target.events, 'banned')
    void spam(await gossipStream(flooder), invalidRpc('/t', mesh.seat(1).peerId))
    await banned
    const id = mesh.seat(1).peerId
    const serves = async (node: Network): Promise<boolean> => {
      await flooder.connect(addressOf(node), AbortSignal.timeout(5000)).catch(() => undefined)
      await until(() => node.libp2p.getConnections(peerIdFromString(id)).length === 0)
      return (await node.peers()).some(({ peerId, connected }) => peerId === id && connected)
    }
    for (let i = 0; i < 5; i++) expect(await serves(target)).to.equal(false)
    await mesh.stop(target)
    const restarted = await mesh.start(0, { topics: [openTopic('/t')] })
    expect(await serves(restarted)).to.equal(false)
    const refused = await restarted.connect(id, AbortSignal.timeout(1000)).catch((error: unknown) => error)
    expect(refused).to.have.property('code', 'E_PEER_BANNED')
  })

  it('remembers a score that reconnecting would wash (F5)', async () => {
    const { target, flooder } = await trio()
    const id = mesh.seat(1).peerId
    for (let round = 0; round < 2; round++) {
      const stream = await gossipStream(flooder)
      for (let i = 0; i < 2; i++) stream.send(invalidRpc('/t', id)())
      const scoreOf = async () => (await target.peers()).find(({ peerId }) => peerId === id)?.score ?? 0
      await until(async () => (await scoreOf()) <= -40 * (round + 1) + 1)
      if (round === 1) break
      await flooder.libp2p.hangUp(peerIdFromString(mesh.seat(0).peerId))
      await until(() => target.libp2p.getConnections(peerIdFromString(id)).length === 0)
      expect(await scoreOf()).to.be.at.most(-39)
      await flooder.connect(addressOf(target), AbortSignal.timeout(5000))
      await until(() => target.pubsub.getSubscribers('/t').length === 2)
    }
    expect((await target.peers()).find(({ peerId }) => peerId === id)?.score).to.be.at.most(-75)
  })
})
