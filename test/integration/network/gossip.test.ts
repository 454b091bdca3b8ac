import { expect } from 'chai'
import { RPC } from '@libp2p/gossipsub/message'
import { peerIdFromString } from '@libp2p/peer-id'
import * as varint from 'uint8-varint'
import { TopicValidatorResult, type Message, type TopicValidatorFn } from '@libp2p/gossipsub'
import type { Network } from '../../../node/network/types.ts'
import { topicValidator } from '../../../node/network/gossip.ts'
import { ReplayWindow } from '../../../node/network/replay-window.ts'
import { addressOf, openTopic, TestMesh, until } from './mesh.ts'

const TOPIC = '/t'

describe('network: gossip', () => {
  let mesh: TestMesh

  afterEach(() => mesh.stopAll())

  it('delivers everything among twelve nodes on one address, nobody below zero (F8)', async function () {
    this.timeout(60_000)
    mesh = await TestMesh.create(Array.from({ length: 12 }, () => 'full' as const))
    const topics = mesh.seats.map(() => openTopic(TOPIC))
    const nodes: Network[] = []
    for (const [index, topic] of topics.entries()) nodes.push(await mesh.start(index, { topics: [topic] }))
    const [first, ...others] = nodes
    for (const node of others) await node.connect(addressOf(first as Network), AbortSignal.timeout(5000))
    // The rest of the mesh they find by themselves.
    await until(() => nodes.every(({ pubsub }) => pubsub.getSubscribers(TOPIC).length >= 8))
    for (let round = 0; round < 10; round++) {
      await Promise.all(nodes.map((node, index) => node.publish(TOPIC, Uint8Array.of(round, index))))
      // The nodes of one process share gossipsub's counter, so the replay windows are twelve times narrower here.
      await until(() => topics.every(({ delivered }) => delivered.length === 11 * (round + 1)))
    }
    const scores = (await Promise.all(nodes.map((node) => node.peers()))).flat().map(({ score }) => score)
    expect(Math.min(...scores)).to.be.at.least(0)
  })

  it('takes a message once, however often it is replayed, and after a restart (F17)', async () => {
    mesh = await TestMesh.create(['full', 'full', 'full'])
    const heard = openTopic(TOPIC)
    let target = await mesh.start(0, { topics: [heard] })
    const author = await mesh.start(1, { topics: [openTopic(TOPIC)] })
    const replayer = await mesh.start(2, { topics: [openTopic(TOPIC)] })
    const recorded: Message[] = []
    replayer.pubsub.addEventListener('message', ({ detail }) => recorded.push(detail))
    await author.connect(addressOf(replayer), AbortSignal.timeout(5000))
    await author.connect(addressOf(target), AbortSignal.timeout(5000))
    await until(() => author.pubsub.getSubscribers(TOPIC).length === 2)
    for (let i = 0; i < 3; i++) await author.publish(TOPIC, Uint8Array.of(i))
    await until(() => heard.delivered.length === 3 && recorded.length === 3)
    await mesh.stop(author)
    await mesh.stop(target)
    const again = openTopic(TOPIC)
    target = await mesh.start(0, { topics: [again] })
    await replayer.connect(addressOf(target), AbortSignal.timeout(5000))
    const stream = await replayer.libp2p.dialProtocol(peerIdFromString(mesh.seat(0).peerId), '/meshsub/1.2.0')
    for (const message of recorded) stream.send(rpcOf(message))
    await until(() => replayer.pubsub.getSubscribers(TOPIC).length === 1)
    await replayer.publish(TOPIC, Uint8Array.of(9))
    await until(() => again.delivered.length > 0)
    expect(again.delivered.map(({ data }) => data[0])).to.deep.equal([9])
  })
})

describe('network: topic validator', () => {
  const signed = (author: string, sequenceNumber: bigint) =>
    ({
      type: 'signed',
      from: peerIdFromString(author),
      topic: TOPIC,
      data: Uint8Array.of(1),
      sequenceNumber,
    }) as Message

  let mesh: TestMesh
  let now: number
  let validate: TopicValidatorFn
  const topic = openTopic(TOPIC)
  const floods: string[] = []

  beforeEach(async () => {
    mesh = await TestMesh.create(['full', 'full'])
    now = 1000
    floods.length = 0
    topic.delivered.length = 0
    validate = topicValidator(
      { ...topic, budget: { ratePerSecond: 1, burst: 3 } },
      {
        self: peerIdFromString(mesh.seat(0).peerId),
        replay: new ReplayWindow(),
        now: () => now,
        startedMs: 1000,
        onFlood: (author) => floods.push(author),
      },
    )
  })

  it('delivers what is fresh and within budget, ignores the rest, and holds a flood against its author alone', () => {
    const author = mesh.seat(1).peerId
    const results = Array.from({ length: 60 }, (_, i) => validate(peerIdFromString(author), signed(author, BigInt(i))))
    expect(results.filter((result) => result === TopicValidatorResult.Accept)).to.have.length(3)
    // What gossipsub is told to reject it holds against honest carriers, too.
    expect(results).to.not.include(TopicValidatorResult.Reject)
    expect(floods).to.deep.equal(Array.from({ length: 30 }, () => author))
    expect(topic.delivered).to.have.length(3)
    now += 60_000
    expect(validate(peerIdFromString(author), signed(author, 2n))).to.equal(TopicValidatorResult.Ignore)
    expect(topic.delivered).to.have.length(3)
  })

  it('ignores its own voice right after a start and rejects it later', () => {
    const [self, carrier] = [mesh.seat(0).peerId, peerIdFromString(mesh.seat(1).peerId)]
    expect(validate(carrier, signed(self, 1n))).to.equal(TopicValidatorResult.Ignore)
    now += 120_000
    expect(validate(carrier, signed(self, 2n))).to.equal(TopicValidatorResult.Reject)
  })

  it('rejects what nobody signed', () => {
    const unsigned = { type: 'unsigned', topic: TOPIC, data: Uint8Array.of(1) } as const
    expect(validate(peerIdFromString(mesh.seat(1).peerId), unsigned)).to.equal(TopicValidatorResult.Reject)
  })
})

/** What anyone can record and send again. */
function rpcOf(message: Message): Uint8Array {
  if (message.type !== 'signed') throw new Error('gossip is signed')
  const seqno = Buffer.alloc(8)
  seqno.writeBigUInt64BE(message.sequenceNumber)
  const { data, topic, signature } = message
  const from = message.from.toMultihash().bytes
  const rpc = RPC.encode({ subscriptions: [], messages: [{ from, data, seqno, topic, signature }] })
  return Buffer.concat([varint.encode(rpc.byteLength), rpc])
}
