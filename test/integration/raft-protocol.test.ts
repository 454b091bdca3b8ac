import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { answerCodec, messageCodec, openingCodec, type RaftFrame } from '../../protocols/raft/codec.ts'
import { BULK_QUEUE, MAX_BATCH_BYTES, MAX_MESSAGE_BYTES } from '../../protocols/raft/constants.ts'
import { RAFT_PROTOCOL } from '../../protocols/raft/index.ts'
import { readFrames, writeFrame } from '../../protocols/shared/frames.ts'
import { connect, startLibp2p, until, type TestLibp2p } from '../helpers/libp2p-pair.ts'
import { numbered, numberOf, RaftMembers, URGENT, type RaftMember } from '../helpers/raft-members.ts'

/** The queue, a batch, libp2p's window and read buffer; a message that the reader collects, and one in hand. */
const MOST_KEPT_BYTES = BULK_QUEUE.bytes + MAX_BATCH_BYTES + 1_048_576 + 2_097_152 + 2 * MAX_MESSAGE_BYTES

describe('/kairos/raft/1.0.0: messages', () => {
  let members: RaftMembers
  const at = (id: number): RaftMember => members.at(id)
  const startCell = async (size: number): Promise<void> => {
    members = new RaftMembers()
    await members.start(size)
  }
  const raw = async (from: TestLibp2p, to: RaftMember, frames: Uint8Array[]): Promise<Stream> => {
    const stream = await from.dialProtocol(to.libp2p.peerId, RAFT_PROTOCOL)
    for (const frame of frames) await writeFrame(stream, frame).catch(() => {})
    return stream
  }
  const messages = openingCodec.encode({ type: 'messages', lane: 'bulk' })
  const frame = (bytes: Uint8Array, from = 1, to = 2): RaftFrame => ({ type: 'message', from, to, bytes })
  afterEach(() => members.stop())

  it('bring every message to its member among three, with who sent it', async () => {
    await startCell(3)
    for (const from of [1, 2, 3])
      for (const to of [1, 2, 3]) if (to !== from) at(from).transport.send(to, Uint8Array.of(from, to), undefined)
    await until(() => members.nodes.every(({ received }) => received.length === 2))
    for (const to of [1, 2, 3]) {
      for (const { peer, from, to: id, bytes } of at(to).received) {
        expect([...bytes]).to.deep.equal([from, to])
        expect(id).to.equal(to)
        expect(peer.equals(at(from).libp2p.peerId)).to.equal(true)
      }
    }
  })

  it('keep their order, on one stream for all of them', async () => {
    await startCell(2)
    const count = 3000
    for (let i = 0; i < count; i++) at(1).transport.send(2, numbered(i), undefined)
    await until(() => at(2).received.length === count)
    expect(at(2).received.map(numberOf)).to.deep.equal(Array.from({ length: count }, (_, i) => i))
    expect(streamsBetween(at(1))).to.equal(1)
  })

  it('of 1 MiB are brought, one byte more is not: it is told, and costs no stream', async () => {
    await startCell(2)
    at(1).transport.send(2, new Uint8Array(MAX_MESSAGE_BYTES + 1), undefined)
    expect(at(1).events, 'never from within send').to.deep.equal([])
    at(1).transport.send(2, new Uint8Array(MAX_MESSAGE_BYTES), undefined)
    await until(() => at(2).received.length === 1)
    expect(at(2).received[0]?.bytes.byteLength).to.equal(MAX_MESSAGE_BYTES)
    expect(at(1).events).to.deep.equal(['unreachable 2'])
    expect(streamsBetween(at(1))).to.equal(1)
  })

  it('over the limit or malformed reset the stream and are judged', async () => {
    await startCell(2)
    const tooLong = messageCodec.encode(frame(new Uint8Array(MAX_MESSAGE_BYTES + 1)))
    for (const [bad, code] of [
      [tooLong, 'E_FRAME_SCHEMA'],
      [new Uint8Array(2_000_000), 'E_FRAME_TOO_LARGE'],
      [new TextEncoder().encode('not dag-cbor'), 'E_FRAME_MALFORMED'],
    ] as const) {
      at(2).events.length = 0
      const stream = await raw(at(1).libp2p, at(2), [messages, bad])
      await until(() => at(2).events.length > 0 && stream.status !== 'open')
      expect(at(2).events).to.deep.equal([`reject ${code}`])
    }
    expect(at(2).received).to.deep.equal([])
  })

  it('of a stranger are refused with a code before a frame is read', async () => {
    await startCell(2)
    const stranger = await startLibp2p()
    try {
      await connect(stranger, at(2).libp2p)
      const stream = await stranger.dialProtocol(at(2).libp2p.peerId, RAFT_PROTOCOL)
      const answers: unknown[] = []
      // Nothing is sent: the refusal waits for no frame.
      for await (const bytes of readFrames(stream, { maxFrameBytes: 4096 })) {
        answers.push(answerCodec.decode(bytes))
        break
      }
      expect(answers).to.have.length(1)
      expect(answers[0]).to.include({ type: 'refused', code: 'E_RAFT_STRANGER' })
      expect(at(2).events).to.deep.equal(['refused E_RAFT_STRANGER'])
    } finally {
      await stranger.stop()
    }
  })

  it('for another id, or from an id that the member no longer has, are ignored', async () => {
    await startCell(2)
    at(2).init.memberOf = () => ({ raftId: 7 })
    const ok = messageCodec.encode(frame(Uint8Array.of(9), 8))
    const bad = [frame(new Uint8Array(1), 7, 3), frame(new Uint8Array(1), 6)].map((one) => messageCodec.encode(one))
    await raw(at(1).libp2p, at(2), [messages, ...bad, ok])
    await until(() => at(2).received.length === 1)
    expect(at(2).received[0]).to.include({ from: 8, to: 2 })
    expect(at(2).events).to.deep.equal(['ignore E_RAFT_WRONG_ID', 'ignore E_RAFT_WRONG_ID'])
  })

  it('under the id of another member, or of one that was before, are ignored', async () => {
    await startCell(3)
    at(2).init.memberOf = () => ({ raftId: 0 })
    at(2).transport.members(new Map([3, 7].map((id) => [id, at(3).libp2p.peerId])))
    const frames = [frame(new Uint8Array(1), 3), frame(new Uint8Array(1), 5), frame(Uint8Array.of(9), 8)]
    await raw(at(1).libp2p, at(2), [messages, ...frames.map((one) => messageCodec.encode(one))])
    await until(() => at(2).received.length === 1)
    expect(at(2).received[0]).to.include({ from: 8, to: 2 })
    expect(at(2).events).to.deep.equal(['ignore E_RAFT_WRONG_ID', 'ignore E_RAFT_WRONG_ID'])
  })

  it('of a leader newer than the state are answered', async () => {
    await startCell(2)
    at(2).init.memberOf = () => ({ raftId: 0 })
    await raw(at(1).libp2p, at(2), [messages, messageCodec.encode(frame(Uint8Array.of(9), 40))])
    await until(() => at(2).received.length === 1)
    at(1).init.self = () => 40
    at(2).transport.send(40, Uint8Array.of(3), undefined)
    await until(() => at(1).received.length === 1)
    expect(at(1).received[0]).to.include({ from: 2, to: 40 })
  })

  it('end with the membership of their sender', async () => {
    await startCell(2)
    at(1).transport.send(2, numbered(1), undefined)
    await until(() => at(2).received.length === 1)
    at(2).init.memberOf = () => undefined
    at(1).transport.send(2, numbered(2), undefined)
    await until(() => at(1).events.includes('unreachable 2'))
    expect(at(2).received).to.have.length(1)
  })

  it('flow again after the connection was closed, the member reported once', async () => {
    await startCell(2)
    at(1).transport.send(2, numbered(0), undefined)
    await until(() => at(2).received.length === 1)
    at(1)
      .libp2p.getConnections(at(2).libp2p.peerId)
      .forEach((connection) => connection.abort(new Error('cut')))
    await until(() => at(1).events.length > 0)
    let i = 1
    await until(() => {
      at(1).transport.send(2, numbered(i++), undefined)
      return at(2).received.length > 1
    })
    expect(at(1).events).to.deep.equal(['unreachable 2'])
  })

  it('to a member that is gone are lost, the member reported once and dialled again', async () => {
    await startCell(2)
    await at(2).transport.stop()
    await at(2).libp2p.stop()
    await until(() => at(1).libp2p.getConnections().length === 0)
    const dials = countDials(at(1))
    await until(() => {
      at(1).transport.send(2, numbered(1), undefined)
      return dials() >= 3
    })
    expect(at(1).events).to.deep.equal(['unreachable 2'])
  })

  it('to a member that no one knows the peer of are reported once', async () => {
    await startCell(2)
    for (let i = 0; i < 5; i++) at(1).transport.send(9, numbered(i), undefined)
    await until(() => at(1).events.length > 0)
    expect(at(1).events).to.deep.equal(['unreachable 9'])
  })

  it('to a member that hangs wait within limits on either side, and urgent ones pass by', async () => {
    await startCell(2)
    const release = Promise.withResolvers<void>()
    let inHand = 0
    at(2).init.deliver = async (message) => {
      at(2).received.push(message)
      if (message.bytes[0] === URGENT) return
      inHand++
      await release.promise
      inHand--
    }
    const megabyte = 1_000_000
    for (let i = 0; i < 100; i++) {
      at(1).transport.send(2, numbered(i, megabyte), undefined)
      await new Promise((resolve) => setImmediate(resolve))
    }
    at(1).transport.send(2, Uint8Array.of(URGENT), undefined)
    await until(() => at(2).received.length === 2)
    expect(inHand).to.equal(1)
    expect(at(1).events).to.deep.equal(['unreachable 2'])
    release.resolve()
    // When the last of those that were kept has come there is room for one more.
    await until(() => {
      at(1).transport.send(2, numbered(0, 8), undefined)
      return at(2).received.at(-1)?.bytes.byteLength === 8
    })
    const kept = at(2)
      .received.filter(({ bytes }) => bytes.byteLength === megabyte)
      .map(numberOf)
    expect(kept).to.deep.equal(kept.toSorted((a, b) => a - b))
    expect(kept.length).to.be.within(BULK_QUEUE.bytes / megabyte - 1, MOST_KEPT_BYTES / megabyte)
  })
})

function streamsBetween({ libp2p }: RaftMember): number {
  const streams = libp2p.getConnections().flatMap((connection) => connection.streams)
  return streams.filter(({ protocol }) => protocol === RAFT_PROTOCOL).length
}

/** Attempts to open a stream from now on. */
function countDials(member: RaftMember): () => number {
  let dials = 0
  const open = member.init.openStream
  member.init.openStream = (peer, signal) => {
    dials++
    return open(peer, signal)
  }
  return () => dials
}
