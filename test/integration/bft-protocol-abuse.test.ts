import { expect } from 'chai'
import * as varint from 'uint8-varint'
import { frameCodec, type BftFrame } from '../../protocols/bft/codec.ts'
import { MAX_BFT_STREAMS, MAX_BLOCK_BYTES, MAX_FRAME_BYTES, PART_BYTES } from '../../protocols/bft/constants.ts'
import { blockParts } from '../../protocols/bft/envelopes.ts'
import { BFT_PROTOCOL } from '../../protocols/bft/index.ts'
import { ignore } from '../../protocols/shared/verdict.ts'
import { BftPeers, blockOf, message, sendRaw, type BftNode } from '../helpers/bft-peers.ts'
import { heldBytes } from '../helpers/held-bytes.ts'
import { until } from '../helpers/libp2p-pair.ts'

/** The first of three is the attacker, the second attacked, the third honest. */
describe('/kairos/bft/1.0.0: validators that do not keep to it', () => {
  let mesh: BftPeers
  const at = (index: number): BftNode => mesh.at(index)
  const hearsTheHonest = async (mark: number): Promise<void> => {
    at(2).transport.publish(5, Uint8Array.of(mark))
    await until(() => at(1).received.includes(`2 message 5 1 ${mark}`))
  }
  const openStreams = (): number =>
    at(1)
      .libp2p.getConnections(mesh.id(0))
      .flatMap(({ streams }) => streams)
      .filter(({ protocol, status }) => protocol === BFT_PROTOCOL && status === 'open').length

  beforeEach(async () => {
    mesh = new BftPeers()
    await mesh.start(3)
  })
  afterEach(() => mesh.stop())

  it('on as many streams as there may be, the beginning of a frame on each: one is served, and gives way to the next', async () => {
    const whole = frameCodec.encode(message(1))
    for (let i = 1; i < MAX_BFT_STREAMS; i++) {
      const stream = await at(0).libp2p.dialProtocol(mesh.id(1), BFT_PROTOCOL)
      stream.send(Uint8Array.of(whole.byteLength, whole[0]!))
    }
    await until(() => openStreams() === 1)
    await hearsTheHonest(2)
    at(0).transport.publish(5, Uint8Array.of(3))
    await until(() => at(1).received.includes('0 message 5 1 3'))
    expect(at(1).events.filter((event) => event.startsWith('reject'))).to.deep.equal([])
  })

  it('a frame byte by byte is taken when its last byte has come', async () => {
    const stream = await sendRaw(at(0).libp2p, at(1), [])
    const frame = frameCodec.encode(message(4, 10_000))
    for (const byte of [...varint.encode(frame.byteLength), ...frame]) stream.send(Uint8Array.of(byte))
    await until(() => at(1).received.length === 1)
    expect(at(1).received).to.deep.equal(['0 message 5 10000 4'])
  })

  it('a frame that declares more than comes is held against its sender, and nothing is kept for it', async () => {
    const before = heldBytes()
    for (let i = 0; i < 4; i++) {
      const stream = await at(0).libp2p.dialProtocol(mesh.id(1), BFT_PROTOCOL)
      stream.send(Uint8Array.from([...varint.encode(MAX_FRAME_BYTES), 1, 2, 3]))
      await stream.close()
      await until(() => at(1).events.length === 2 * (i + 1))
    }
    expect(new Set(at(1).events)).to.deep.equal(new Set(['refused E_FRAME_TRUNCATED', 'reject E_FRAME_TRUNCATED']))
    expect(heldBytes() - before).to.be.below(MAX_FRAME_BYTES)
    await hearsTheHonest(5)
  })

  it('what is said again and again is looked at once, put together once and passed on once', async () => {
    // What the others pass on it keeps to itself: a stream of its own would take the place of the one here.
    at(0).init.peers = () => []
    const looks = { accepted: 0, ignored: 0 }
    const { governance: take } = at(1).ports
    at(1).ports.governance = (peer, bytes) => {
      looks[bytes[0] === 1 ? 'accepted' : 'ignored']++
      return bytes[0] === 1 ? take(peer, bytes) : ignore('E_GOVERNANCE_KNOWN')
    }
    const said: BftFrame[] = [1, 2].map((mark) => ({ type: 'governance', bytes: Uint8Array.of(mark) }))
    const block = blockParts(5, 0, blockOf(6, 3 * PART_BYTES)).map(({ frame }) => frame)
    const once = [...said, ...block]
    await sendRaw(at(0).libp2p, at(1), Array.from({ length: 50 }, () => once).flat())
    await until(() => at(1).events.filter((event) => event === 'ignore E_BFT_DUPLICATE').length === 49 * 3)
    await until(() => at(2).received.length > 0)
    expect(looks).to.deep.equal({ accepted: 1, ignored: 50 })
    expect(at(1).received.toSorted()).to.deep.equal([`0 block 5 0 ${3 * PART_BYTES} 6`, '0 governance 1'])
    expect(at(2).received).to.deep.equal(['1 governance 1'])
  })

  it('parts of far heights as fast as the line takes them are dropped unkept, and the others are heard', async () => {
    const before = heldBytes()
    const far = Array.from({ length: 256 }, (_, i): BftFrame => {
      const value = new Uint8Array(36).fill(i)
      return { type: 'part', height: 7 + i, round: 0, value, index: 0, total: 16, bytes: new Uint8Array(PART_BYTES) }
    })
    await sendRaw(at(0).libp2p, at(1), far)
    await hearsTheHonest(7)
    await until(() => at(1).events.filter((event) => event.startsWith('ignore')).length >= far.length)
    expect(at(1).received).to.deep.equal(['2 message 5 1 7'])
    far.length = 0
    expect(heldBytes() - before).to.be.below(4 * MAX_BLOCK_BYTES)
  })
})
