import { expect } from 'chai'
import { answerCodec, messageCodec, openingCodec } from '../../../protocols/raft/codec.ts'
import { MAX_BLOCK_BYTES, MAX_CIDS, MAX_MEMBERS, MAX_MESSAGE_BYTES } from '../../../protocols/raft/constants.ts'
import { codeThrown } from '../../helpers/content-node.ts'

const ids = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)
const message = (bytes: number, members = 3) => ({
  type: 'message' as const,
  from: 1,
  to: 2,
  bytes: new Uint8Array(bytes),
  snapshot: {
    index: 9,
    term: 2,
    configuration: { voters: ids(members), learners: [], votersOutgoing: ids(members), learnersNext: [] },
    root: new Uint8Array(36),
  },
})
const blocks = (count: number) => ({
  type: 'blocks' as const,
  cids: Array.from({ length: count }, () => new Uint8Array(64)),
})

describe('raft codecs', () => {
  it('take each frame at its limit', () => {
    const longest = message(MAX_MESSAGE_BYTES, MAX_MEMBERS)
    expect(messageCodec.decode(messageCodec.encode(longest))).to.deep.equal(longest)
    expect(openingCodec.decode(openingCodec.encode(blocks(MAX_CIDS)))).to.deep.equal(blocks(MAX_CIDS))
    const block = { type: 'block' as const, bytes: new Uint8Array(MAX_BLOCK_BYTES) }
    expect(answerCodec.decode(answerCodec.encode(block))).to.deep.equal(block)
    const member = { raftId: Number.MAX_SAFE_INTEGER, peerId: '1'.repeat(128) }
    const joined = { type: 'joined' as const, raftId: 1, members: Array.from({ length: MAX_MEMBERS }, () => member) }
    expect(answerCodec.decode(answerCodec.encode(joined))).to.deep.equal(joined)
  })

  it('refuse each frame one over its limit', async () => {
    const refusedBy = (codec: typeof messageCodec | typeof openingCodec | typeof answerCodec, value: unknown) =>
      codeThrown(async () => codec.decode(codec.encode(value as never)))
    expect(await refusedBy(messageCodec, message(MAX_MESSAGE_BYTES + 1))).to.equal('E_FRAME_SCHEMA')
    expect(await refusedBy(messageCodec, message(1, MAX_MEMBERS + 1))).to.equal('E_FRAME_SCHEMA')
    expect(await refusedBy(openingCodec, blocks(MAX_CIDS + 1))).to.equal('E_FRAME_SCHEMA')
    expect(await refusedBy(openingCodec, { type: 'join', incarnation: new Uint8Array(17) })).to.equal('E_FRAME_SCHEMA')
    const block = { type: 'block', bytes: new Uint8Array(MAX_BLOCK_BYTES + 1) }
    expect(await refusedBy(answerCodec, block)).to.equal('E_FRAME_SCHEMA')
  })
})
