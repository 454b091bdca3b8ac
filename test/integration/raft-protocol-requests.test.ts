import * as dagCbor from '@ipld/dag-cbor'
import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { answerCodec, messageCodec, openingCodec } from '../../protocols/raft/codec.ts'
import { createRaftHandler } from '../../protocols/raft/handler.ts'
import { fetchSnapshot, RAFT_PROTOCOL, requestJoin, type Block, type OpenStream } from '../../protocols/raft/index.ts'
import { readFrames, writeFrame } from '../../protocols/shared/frames.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import { codeThrown } from '../helpers/content-node.ts'
import { connect, startLibp2p, until, type TestLibp2p } from '../helpers/libp2p-pair.ts'

async function blockOf(value: unknown): Promise<Block> {
  const bytes = dagCbor.encode(value)
  return { bytes, cid: CID.createV1(dagCbor.code, await sha256.digest(bytes)) }
}

describe('/kairos/raft/1.0.0: requests', () => {
  let asker: TestLibp2p
  let member: TestLibp2p
  let served: Map<string, Uint8Array>
  let handler: ReturnType<typeof createRaftHandler>
  let inHand: Promise<void> | undefined
  let refused: string[]
  let judged: string[]
  const { signal } = new AbortController()
  const open: OpenStream = (peer, signal) => openStream(asker, peer, RAFT_PROTOCOL, { signal })

  beforeEach(async () => {
    served = new Map()
    inHand = undefined
    refused = []
    judged = []
    ;[asker, member] = await Promise.all([startLibp2p(), startLibp2p()])
    handler = createRaftHandler({
      libp2p: member,
      memberOf: () => ({ raftId: 0 }),
      onFrame: () => inHand,
      refused: (_peer, code) => void refused.push(code),
      judge: (_peer, verdict) => void judged.push(verdict.kind),
      join: async (_peer, incarnation) =>
        incarnation[0] === 1
          ? { type: 'joined', raftId: 4, members: [{ raftId: 1, peerId: 'one' }], leader: 1 }
          : { type: 'refused', code: 'E_RAFT_BUSY', message: 'ask another' },
      block: async (cid) => {
        return served.get(cid.toString())
      },
      log: member.logger.forComponent('raft'),
    })
    await handler.start()
    await connect(asker, member)
    await until(() => member.getConnections().length === 1)
  })
  afterEach(async () => {
    await handler.stop()
    await Promise.all([asker.stop(), member.stop()])
  })

  it('to join are answered with the ids of the cell, or refused', async () => {
    const ask = (first: number) => requestJoin(open, member.peerId, new Uint8Array(16).fill(first), { signal })
    expect(await ask(1)).to.include({ type: 'joined', raftId: 4, leader: 1 })
    expect(await ask(2)).to.include({ type: 'refused', code: 'E_RAFT_BUSY' })
  })

  it('for a lane that another stream waits for already are refused with a code', async () => {
    const hanging = Promise.withResolvers<void>()
    inHand = hanging.promise
    const message = { type: 'message' as const, from: 1, to: 2, bytes: Uint8Array.of(1) }
    const lane = async (): Promise<Stream> => {
      const stream = await open(member.peerId, signal)
      await writeFrame(stream, openingCodec.encode({ type: 'messages', lane: 'bulk' }))
      await writeFrame(stream, messageCodec.encode(message))
      return stream
    }
    const first = await lane()
    const second = await lane()
    await until(() => first.status !== 'open')
    const answers = readFrames(await lane(), { maxFrameBytes: 1024 })
    const answer = await answers.next()
    expect(answerCodec.decode(answer.value as Uint8Array)).to.include({ type: 'refused', code: 'E_RAFT_BUSY' })
    expect(refused).to.deep.equal(['E_RAFT_BUSY'])
    hanging.resolve()
    await until(() => second.status === 'open')
  })

  it('that are never made, since the asker was cut off, are held against nobody', async () => {
    const served = () =>
      member.getConnections().flatMap(({ streams }) => streams.filter((s) => s.protocol === RAFT_PROTOCOL))
    const stream = await open(member.peerId, signal)
    await until(() => served().length === 1)
    stream.abort(new Error('cancelled'))
    await until(() => served().length === 0)
    expect(await requestJoin(open, member.peerId, new Uint8Array(16), { signal })).to.include({ type: 'refused' })
    expect(judged).to.deep.equal([])
  })

  it('for a snapshot bring what is missing, go on after a break, and refuse a wrong block', async () => {
    const leaves = await Promise.all(Array.from({ length: 200 }, (_, i) => blockOf({ i, pad: new Uint8Array(50_000) })))
    const root = await blockOf(leaves.map(({ cid }) => cid))
    for (const { cid, bytes } of [root, ...leaves]) served.set(cid.toString(), bytes)
    const here = new Map<string, Uint8Array>()
    const verdicts: string[] = []
    const fetch = () =>
      fetchSnapshot(root.cid, {
        open,
        peer: member.peerId,
        signal,
        get: async (cid) => here.get(cid.toString()),
        put: async (blocks) => blocks.forEach(({ cid, bytes }) => here.set(cid.toString(), bytes)),
        links: ({ bytes }) => {
          const value = dagCbor.decode<unknown>(bytes)
          return Array.isArray(value) ? (value as CID[]) : []
        },
        judge: (_peer, verdict) => void verdicts.push(verdict.kind),
      })
    const last = leaves.at(-1)!
    served.set(last.cid.toString(), new Uint8Array(3))
    expect(await codeThrown(fetch)).to.equal('E_RAFT_BLOCK_WRONG')
    expect(verdicts).to.deep.equal(['reject'])
    expect(here.has(last.cid.toString())).to.equal(false)
    served.delete(last.cid.toString())
    expect(await codeThrown(fetch)).to.equal('E_RAFT_BLOCK_MISSING')
    served.set(last.cid.toString(), last.bytes)
    const before = here.size
    const progress = await fetch()
    expect(here.size).to.equal(201)
    expect(progress).to.include({ found: before, fetched: 201 - before })
    expect(before).to.be.greaterThan(0)
  })
})
