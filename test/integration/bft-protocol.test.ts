import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { frameCodec } from '../../protocols/bft/codec.ts'
import { MAX_BLOCK_BYTES } from '../../protocols/bft/constants.ts'
import { BFT_PROTOCOL } from '../../protocols/bft/index.ts'
import { writeFrame } from '../../protocols/shared/frames.ts'
import { ignore, reject } from '../../protocols/shared/verdict.ts'
import { BftPeers, blockOf, message, sendRaw, type BftNode } from '../helpers/bft-peers.ts'
import { connect, until } from '../helpers/libp2p-pair.ts'

describe('/kairos/bft/1.0.0', () => {
  let mesh: BftPeers
  const at = (index: number): BftNode => mesh.at(index)
  const streamsFrom = ({ libp2p }: BftNode): number =>
    libp2p
      .getConnections()
      .flatMap(({ streams }) => streams)
      .filter(({ protocol, direction }) => protocol === BFT_PROTOCOL && direction === 'outbound').length
  const cut = (a: number, b: number): void =>
    at(a)
      .libp2p.getConnections(mesh.id(b))
      .forEach((connection) => connection.abort(new Error('cut')))

  beforeEach(() => {
    mesh = new BftPeers()
  })
  afterEach(() => mesh.stop())

  it('brings messages and blocks to every other validator and to no one else, but no block that is too large', async () => {
    await mesh.start(4, 1)
    at(0).transport.publishBlock(5, 0, blockOf(1, MAX_BLOCK_BYTES + 1))
    at(0).transport.publish(5, new Uint8Array(10).fill(7))
    at(1).transport.publishBlock(5, 2, blockOf(9, MAX_BLOCK_BYTES))
    await until(() => [0, 1, 2].every((i) => at(i).received.length === (i === 2 ? 2 : 1)))
    expect(at(2).received).to.have.members(['0 message 5 10 7', `1 block 5 2 ${MAX_BLOCK_BYTES} 9`])
    expect([at(0).received, at(1).received]).to.deep.equal([[`1 block 5 2 ${MAX_BLOCK_BYTES} 9`], ['0 message 5 10 7']])
    expect(at(3).received).to.deep.equal([])
    expect(mesh.nodes.flatMap(({ events }) => events)).to.deep.equal([])
  })

  it('keeps the order of messages, on one stream to each', async () => {
    await mesh.start(2)
    for (let i = 0; i < 1000; i++) at(0).transport.publish(5, Uint8Array.from([i % 256]))
    await until(() => at(1).received.length === 1000)
    expect(at(1).received).to.deep.equal(Array.from({ length: 1000 }, (_, i) => `0 message 5 1 ${i % 256}`))
    expect(streamsFrom(at(0))).to.equal(1)
  })

  it('lets a message overtake a block that waits', async () => {
    await mesh.start(2)
    for (const mark of [1, 2, 3]) at(0).transport.publishBlock(5, 0, blockOf(mark, MAX_BLOCK_BYTES))
    at(0).transport.publish(5, Uint8Array.of(9))
    await until(() => at(1).received.length === 4)
    expect(at(1).received[0]).to.equal('0 message 5 1 9')
  })

  it('flows again after a connection was lost, and at once after the peer came back', async () => {
    await mesh.start(2)
    at(0).transport.publish(5, Uint8Array.of(1))
    await until(() => at(1).received.length === 1)
    cut(0, 1)
    await until(() => at(0).events.length > 0)
    await until(() => {
      at(0).transport.publish(5, Uint8Array.of(2))
      return at(1).received.length > 1
    })
    const events = at(0).events.length
    cut(0, 1)
    await until(() => at(0).libp2p.getConnections(mesh.id(1)).length === 0 && at(0).events.length > events)
    await connect(at(1).libp2p, at(0).libp2p)
    await until(() => {
      at(0).transport.publish(5, Uint8Array.of(3))
      return at(1).received.at(-1) === '0 message 5 1 3'
    })
  })

  it('follows the set: nothing goes to who left it, and what it says is refused', async () => {
    await mesh.start(3)
    at(0).transport.publish(5, Uint8Array.of(1))
    at(2).transport.publish(5, Uint8Array.of(1))
    await until(() => at(2).received.length === 1 && at(0).received.length === 1)
    const open = await sendRaw(at(2).libp2p, at(1), [message(4)])
    await until(() => at(1).received.includes('2 message 5 10 4'))
    mesh.peers = mesh.peers.slice(0, 2)
    at(0).transport.publish(5, Uint8Array.of(2))
    await until(() => at(1).received.length === 4)
    await writeFrame(open, frameCodec.encode(message(5)))
    await until(() => at(1).events.includes('refused E_BFT_STRANGER') && open.status !== 'open')
    expect(at(1).received.at(-1)).to.equal('0 message 5 1 2')
    expect(at(2).received).to.have.length(1)
    expect(streamsFrom(at(0))).to.equal(1)
    await sendRaw(at(2).libp2p, at(0), [message(3)])
    await until(() => at(0).events.includes('refused E_BFT_STRANGER'))
    expect(at(0).received).to.deep.equal(['2 message 5 1 1'])
  })

  it('hands on what is thought of a message, and goes on', async () => {
    await mesh.start(2)
    const verdicts = [reject('E_BFT_SIGNATURE'), ignore('E_BFT_HEIGHT')]
    const { message: take } = at(1).ports
    at(1).ports.message = (...args) => verdicts.shift() ?? take(...args)
    for (const mark of [1, 2, 3]) at(0).transport.publish(5, Uint8Array.of(mark))
    await until(() => at(1).received.length === 1)
    expect(at(1).received).to.deep.equal(['0 message 5 1 3'])
    expect(at(1).events.filter((event) => !event.startsWith('refused'))).to.deep.equal([
      'reject E_BFT_SIGNATURE',
      'ignore E_BFT_HEIGHT',
    ])
  })

  it('brings a block that is asked for, from whoever has it', async () => {
    await mesh.start(4)
    const block = blockOf(8, 300_000)
    at(3).ports.readBlock = async (height, value) => (height === 5 && value[0] === 8 ? block.bytes : undefined)
    await until(() => {
      at(0).transport.requestBlock(5, block.value)
      return at(0).received.length > 0
    })
    expect(at(0).received[0]).to.equal('3 block 5 0 300000 8')
    // Asked for again, it is taken again: whoever asks has it no more.
    const { length } = at(0).received
    await until(() => {
      at(0).transport.requestBlock(5, block.value)
      return at(0).received.length > length
    })
  })

  it('brings reports that are asked for, of who was asked, and no others', async () => {
    await mesh.start(2)
    const envelopes = Array.from({ length: 100 }, (_, i) => new Uint8Array(260).fill(i))
    const digests = envelopes.map((envelope) => createHash('sha256').update(envelope).digest())
    at(1).ports.readReports = (_epoch, wanted) =>
      envelopes.filter((_, i) => wanted.some((digest) => digests[i]!.equals(digest)))
    at(0).transport.requestReports(4, digests.slice(0, 70), [mesh.id(1)])
    await until(() => at(0).received.length === 70)
    expect(at(0).received).to.deep.equal(Array.from({ length: 70 }, (_, i) => `1 report 4 ${i}`))
    await sendRaw(at(1).libp2p, at(0), [{ type: 'reports', envelopes: [envelopes[0]!, envelopes[99]!] }])
    await until(() => at(0).events.includes('ignore E_BFT_UNASKED'))
    expect(at(0).received).to.have.length(70)
  })

  it('loses no report of an answer for another one that came twice or is known', async () => {
    await mesh.start(2)
    const envelopes = [0, 1, 2, 3].map((i) => new Uint8Array(260).fill(i))
    const digests = envelopes.map((envelope) => createHash('sha256').update(envelope).digest())
    const { report: take } = at(0).ports
    at(0).ports.report = (peer, epoch, envelope) =>
      envelope[0] === 1 ? ignore('E_REPORT_KNOWN') : take(peer, epoch, envelope)
    at(0).transport.requestReports(4, digests, [mesh.id(1)])
    await sendRaw(at(1).libp2p, at(0), [
      { type: 'reports', envelopes: envelopes.slice(0, 1) },
      { type: 'reports', envelopes },
    ])
    await until(() => at(0).received.length === 3)
    expect(at(0).received).to.deep.equal(['1 report 4 0', '1 report 4 2', '1 report 4 3'])
    expect(at(0).events).to.deep.equal(['refused E_REPORT_KNOWN', 'ignore E_REPORT_KNOWN'])
  })

  it('passes attestations and governance on, once, and only what is accepted', async () => {
    await mesh.start(4, 2)
    // Whom the first one reaches: only the second.
    at(0).init.peers = () => [{ peer: mesh.id(1), isValidator: true }]
    at(0).transport.publishGovernance(Uint8Array.of(1))
    at(0).transport.publishAttestation(Uint8Array.of(2))
    await until(() => [1, 2, 3].every((i) => at(i).received.length === 2))
    at(0).transport.publishGovernance(Uint8Array.of(1))
    at(0).transport.publishGovernance(Uint8Array.of(3))
    await until(() => [1, 2, 3].every((i) => at(i).received.length === 3))
    expect(at(1).received).to.deep.equal(['0 governance 1', '0 attestation 2', '0 governance 3'])
    expect(at(0).received).to.deep.equal([])
    at(1).ports.governance = () => reject('E_GOVERNANCE_SIGNATURE')
    at(0).transport.publishGovernance(Uint8Array.of(4))
    at(0).transport.publishGovernance(Uint8Array.of(4))
    at(0).transport.publishAttestation(Uint8Array.of(5))
    await until(() => [1, 2, 3].every((i) => at(i).received.length === 4))
    expect(at(1).events.filter((event) => event === 'reject E_GOVERNANCE_SIGNATURE')).to.have.length(2)
    for (const i of [2, 3]) expect(at(i).received.join()).to.not.include('governance 4')
  })

  it('brings a share of an attestation to those that it is meant for', async () => {
    await mesh.start(3)
    at(0).transport.shareAttestation(Uint8Array.of(6), [mesh.id(2)])
    await until(() => at(2).received.length === 1)
    expect([at(2).received, at(1).received]).to.deep.equal([['0 share 6'], []])
  })
})
