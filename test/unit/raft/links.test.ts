import { defaultLogger } from '@libp2p/logger'
import type { PeerId, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { BULK_QUEUE, MAX_MESSAGE_BYTES } from '../../../protocols/raft/constants.ts'
import { Lane } from '../../../protocols/raft/lane.ts'
import { MemberLinks } from '../../../protocols/raft/member-links.ts'
import { connect, startLibp2p, until, type TestLibp2p } from '../../helpers/libp2p-pair.ts'

const one = peerIdFromString('12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5')
const other = peerIdFromString('12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust')

describe('the links to members', () => {
  let links: MemberLinks
  let opened: { peer: PeerId; signal: AbortSignal }[]
  let lost: number[]
  const send = (to: number, size = 1): void =>
    links.send('bulk', { type: 'message', from: 1, to, bytes: new Uint8Array(size) })

  beforeEach(() => {
    opened = []
    lost = []
    links = new MemberLinks({
      openStream: (peer, signal) => {
        opened.push({ peer, signal })
        return new Promise<Stream>(() => {})
      },
      unreachable: (id) => void lost.push(id),
      snapshotSent: () => {},
      log: defaultLogger().forComponent('raft'),
    })
  })
  afterEach(() => links.stop())

  it('end with the id that a peer was known by before it spoke as a newer one', async () => {
    links.learn(7, one)
    send(7)
    await until(() => opened.length === 1)
    links.learn(8, one)
    expect(opened[0]?.signal.aborted).to.equal(true)
    send(7)
    await until(() => lost.length === 1)
    expect(lost).to.deep.equal([7])
    send(8)
    await until(() => opened.length === 2)
  })

  it('end with what the state says of an id, and only then', async () => {
    links.members(new Map([[2, one]]))
    send(2)
    await until(() => opened.length === 1)
    links.members(
      new Map([
        [2, one],
        [3, other],
      ]),
    )
    expect(opened[0]?.signal.aborted).to.equal(false)
    links.members(new Map([[2, other]]))
    expect(opened[0]?.signal.aborted).to.equal(true)
  })

  it('tell each message that is too large, after it was sent', async () => {
    links.members(new Map([[2, one]]))
    send(2, MAX_MESSAGE_BYTES + 1)
    expect(lost).to.deep.equal([])
    await until(() => lost.length === 1)
    send(2, MAX_MESSAGE_BYTES + 1)
    await until(() => lost.length === 2)
    expect(opened).to.deep.equal([])
  })

  it('let a peer speak as itself, or as a newer one than the state names', () => {
    expect(links.maySpeak(1, one), 'nothing is known yet').to.equal(true)
    links.members(
      new Map([
        [2, one],
        [5, other],
      ]),
    )
    const may = (peer: PeerId) => [2, 3, 5, 6].filter((id) => links.maySpeak(id, peer))
    expect([may(one), may(other)]).to.deep.equal([
      [2, 6],
      [5, 6],
    ])
  })
})

describe('a lane', () => {
  let nodes: TestLibp2p[]
  afterEach(async () => void (await Promise.all(nodes.map((node) => node.stop()))))

  it('gives up a stream that takes nothing for too long', async () => {
    nodes = await Promise.all([startLibp2p(), startLibp2p()])
    const [from, to] = nodes as [TestLibp2p, TestLibp2p]
    const streams: Stream[] = []
    await to.handle('/hangs', (stream) => void stream.pause())
    await connect(from, to)
    const codes: string[] = []
    const lane = new Lane({
      name: 'bulk',
      limits: { ...BULK_QUEUE, drop: 'newest' },
      stallMs: 50,
      openStream: async () => {
        const stream = await from.dialProtocol(to.peerId, '/hangs')
        streams.push(stream)
        return stream
      },
      onLost: (code) => void codes.push(code),
      onWritten: () => {},
    })
    await until(() => {
      lane.push(new Uint8Array(100_000))
      return codes.some((code) => code !== 'E_RAFT_QUEUE_FULL')
    })
    expect(streams[0]?.status).to.be.oneOf(['aborted', 'reset', 'closed'])
    lane.stop()
  })
})

describe('a lane between two members', () => {
  it('what is lazy waits for company and keeps its order; alone it goes a moment later', async () => {
    const sent: Uint8Array[] = []
    const stream = {
      send: (bytes: { subarray(): Uint8Array }) => sent.push(bytes.subarray()),
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
      abort: () => undefined,
      status: 'open',
    }
    const lane = new Lane({
      name: 'bulk',
      limits: { ...BULK_QUEUE, drop: 'newest' },
      stallMs: 1_000,
      openStream: async () => stream as unknown as Stream,
      onLost: () => undefined,
      onWritten: () => undefined,
    })
    lane.push(Uint8Array.of(1))
    await until(() => sent.length === 2)
    lane.push(Uint8Array.of(2), true)
    lane.push(Uint8Array.of(3), true)
    lane.push(Uint8Array.of(4))
    await until(() => sent.length === 3)
    expect([...sent[2]!]).to.deep.equal([1, 2, 1, 3, 1, 4])
    lane.push(Uint8Array.of(5), true)
    expect(sent).to.have.length(3)
    await until(() => sent.length === 4)
    expect([...sent[3]!]).to.deep.equal([1, 5])
    lane.stop()
  })
})
