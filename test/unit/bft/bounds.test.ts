import { createHash } from 'node:crypto'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import * as epochLimits from '../../../consensus/epoch/limits.ts'
import { MAX_MESSAGE_BYTES as ENGINE_MESSAGE_BYTES } from '../../../consensus/mesh/engine.ts'
import { BlockSearch } from '../../../protocols/bft/block-search.ts'
import { frameCodec, type BftFrame } from '../../../protocols/bft/codec.ts'
import * as limits from '../../../protocols/bft/constants.ts'
import { PeerRate } from '../../../protocols/bft/peer-rate.ts'
import { ReportWants } from '../../../protocols/bft/report-wants.ts'
import { Seen } from '../../../protocols/bft/seen.ts'
import * as phase from '../../../protocols/phase/constants.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { ACCEPT, ignore, reject } from '../../../protocols/shared/verdict.ts'
import * as sync from '../../../protocols/sync/constants.ts'

const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(1)
const codeOf = (frame: object): string => {
  try {
    frameCodec.decode(frameCodec.encode(frame as BftFrame))
    return 'none'
  } catch (error) {
    return (error as CodedError).code
  }
}

describe('frames of /kairos/bft/1.0.0', () => {
  const part = { type: 'part', height: 1, round: 0, value: bytes(36), index: 0, total: 1, bytes: bytes(1) }
  const share = { type: 'attestation-share', bytes: bytes(limits.MAX_ATTESTATION_BYTES) }

  it('of the largest sizes are taken, and one byte or item more is not', () => {
    const digests = (count: number): Uint8Array[] => Array.from({ length: count }, () => bytes(32))
    for (const [largest, over] of [
      [
        { type: 'message', height: 1, bytes: bytes(limits.MAX_MESSAGE_BYTES) },
        { type: 'message', height: 1, bytes: bytes(limits.MAX_MESSAGE_BYTES + 1) },
      ],
      [
        { ...part, bytes: bytes(limits.PART_BYTES) },
        { ...part, bytes: bytes(limits.PART_BYTES + 1) },
      ],
      [
        { ...part, index: 15, total: 16 },
        { ...part, index: 16, total: 17 },
      ],
      [
        { type: 'want-reports', epoch: 1, digests: digests(64) },
        { type: 'want-reports', epoch: 1, digests: digests(65) },
      ],
      [
        { type: 'reports', envelopes: Array.from({ length: 64 }, () => bytes(512)) },
        { type: 'reports', envelopes: [bytes(513)] },
      ],
      [share, { ...share, bytes: bytes(limits.MAX_ATTESTATION_BYTES + 1) }],
      [
        { type: 'governance', bytes: bytes(limits.MAX_GOVERNANCE_BYTES) },
        { type: 'governance', bytes: bytes(limits.MAX_GOVERNANCE_BYTES + 1) },
      ],
    ]) {
      expect(codeOf(largest!)).to.equal('none')
      expect(codeOf(over!)).to.equal('E_FRAME_SCHEMA')
    }
  })

  it('that are none are refused', () => {
    for (const frame of [
      { ...part, value: bytes(35) },
      { ...part, height: 0 },
      { ...part, round: -1 },
      { ...part, index: 1, total: 1 },
      { ...part, index: 0, total: 2 },
      { ...part, bytes: bytes(0) },
      { ...part, more: 1 },
      { type: 'want-reports', epoch: 1, digests: [] },
      { type: 'votes' },
      {},
    ])
      expect(codeOf(frame), JSON.stringify(Object.keys(frame))).to.equal('E_FRAME_SCHEMA')
  })

  it('hold whatever the engine, the record and the reports allow', () => {
    expect(limits.MAX_MESSAGE_BYTES).to.equal(ENGINE_MESSAGE_BYTES)
    expect(limits.MAX_BLOCK_BYTES).to.equal(epochLimits.MAX_BLOCK_BYTES)
    expect(limits.MAX_ATTESTATION_BYTES).to.be.at.least(epochLimits.MAX_ATTESTATION_BYTES)
    expect(limits.MAX_GOVERNANCE_BYTES).to.be.at.least(epochLimits.MAX_COMMAND_BYTES)
    expect(limits.MAX_ENVELOPE_BYTES).to.equal(phase.MAX_REPORT_BYTES)
    expect(sync.MAX_BLOCK_BYTES).to.equal(epochLimits.MAX_BLOCK_BYTES)
    expect(sync.MAX_CERTIFICATE_BYTES).to.be.at.least(epochLimits.MAX_CERTIFICATE_BYTES)
    expect(sync.MAX_STATE_BYTES).to.be.at.least(epochLimits.MAX_STATE_BYTES)
  })
})

describe('the rate of a peer', () => {
  const rate = { bytesPerSecond: 1000, framesPerSecond: 10 }
  /** @returns what became of one frame in every `everyMs`, by code */
  const run = (everyMs: number, size: number, forMs: number): Record<string, number> => {
    const peers = new PeerRate(rate)
    const counts: Record<string, number> = {}
    for (let now = 5_000; now < 5_000 + forMs; now += everyMs) {
      const verdict = peers.spend('a', size, now)
      const name = verdict.kind === 'accept' ? 'accept' : verdict.code
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  it('lets through all that is within it, in bytes and in frames', () => {
    expect(run(100, 100, 60_000)).to.deep.equal({ accept: 600 })
    expect(run(1000, 1000, 60_000)).to.deep.equal({ accept: 60 })
  })

  it('allows two seconds worth at once, and no more', () => {
    const peers = new PeerRate(rate)
    const kinds = Array.from({ length: 25 }, () => peers.spend('a', 1, 5_000).kind)
    expect(kinds.filter((kind) => kind === 'accept')).to.have.length(20)
    expect(peers.spend('b', 1, 5_000)).to.deep.equal(ACCEPT)
    expect(peers.spend('a', 1, 5_100)).to.deep.equal(ACCEPT)
  })

  it('drops half of twice the rate, which is nobody to be punished for', () => {
    const counts = run(50, 1, 60_000)
    expect(counts['accept']).to.be.within(600, 620)
    expect(counts['E_BFT_FLOOD'] ?? 0).to.be.at.most(1)
  })

  it('drops nine parts of ten times the rate, and holds it against the peer every few seconds', () => {
    for (const counts of [run(10, 1, 10_000), run(100, 1000, 10_000)]) {
      expect(counts['accept']).to.be.within(10, 120)
      expect(counts['E_BFT_FLOOD']).to.be.within(2, 50)
    }
  })

  it('is remembered for so many peers, those forgotten first that sent nothing for longest', () => {
    const peers = new PeerRate({ bytesPerSecond: 1000, framesPerSecond: 0.5 })
    for (let i = 0; i < limits.MAX_RATED_PEERS; i++) peers.spend(String(i), 1, 5_000)
    expect(peers.spend('0', 1, 5_000).kind).to.equal('ignore')
    peers.spend('one more', 1, 5_000)
    expect(peers.spend('0', 1, 5_000).kind).to.not.equal('accept')
    expect(peers.spend('1', 1, 5_000)).to.deep.equal(ACCEPT)
  })
})

describe('what was judged', () => {
  it('is known again, but for what was merely ignored; the oldest is forgotten', () => {
    const seen = new Seen()
    const key = (i: number): string => Seen.key('governance', Uint8Array.from([i % 256, i >> 8]))
    seen.add(key(0), ignore('E_STALE'))
    expect(seen.get(key(0))).to.equal(undefined)
    seen.add(key(0), reject('E_BAD'))
    for (let i = 1; i < limits.MAX_SEEN; i++) seen.add(key(i), ACCEPT)
    expect(seen.get(key(0))).to.deep.equal(reject('E_BAD'))
    seen.add(key(limits.MAX_SEEN), ACCEPT)
    expect([seen.get(key(0)), seen.get(key(1))]).to.deep.equal([undefined, ACCEPT])
    expect(seen.get(Seen.key('attestation', Uint8Array.from([1, 0]))), 'of another kind').to.equal(undefined)
  })
})

describe('reports that are asked for', () => {
  const envelope = (i: number): Uint8Array => Uint8Array.from([i % 256, i >> 8])
  const digest = (i: number): Uint8Array => createHash('sha256').update(envelope(i)).digest()

  it('are taken once, of those who were asked, for the epoch that they were asked for', () => {
    const wants = new ReportWants()
    wants.asked('a', 7, [digest(1), digest(2)])
    expect(wants.take('b', envelope(1))).to.equal(undefined)
    expect(wants.take('a', envelope(1))).to.equal(7)
    expect(wants.take('a', envelope(1))).to.equal(undefined)
    expect(wants.take('a', envelope(3))).to.equal(undefined)
    wants.forget('a')
    expect(wants.take('a', envelope(2))).to.equal(undefined)
  })

  it('are remembered up to a limit, the latest', () => {
    const wants = new ReportWants()
    for (let i = 0; i <= limits.MAX_ASKED_DIGESTS; i++) wants.asked('a', i, [digest(i)])
    expect(wants.take('a', envelope(0))).to.equal(undefined)
    expect(wants.take('a', envelope(1))).to.equal(1)
    expect(wants.take('a', envelope(limits.MAX_ASKED_DIGESTS))).to.equal(limits.MAX_ASKED_DIGESTS)
  })
})

describe('the search for a block', () => {
  const peers = [
    '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5',
    '12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust',
  ]
    .flatMap((id) => [id, id, id])
    .map((id) => peerIdFromString(id))

  it('asks two at a time, each once before any is asked again', () => {
    const search = new BlockSearch(() => peers.slice(0, 5))
    const sizes = Array.from({ length: 6 }, () => search.next(bytes(36)).length)
    expect(sizes).to.deep.equal([2, 2, 1, 2, 2, 1])
    search.found(bytes(36))
    expect(search.next(bytes(36))).to.have.length(2)
  })

  it('has nobody to ask where there are no validators', () => {
    expect(new BlockSearch(() => []).next(bytes(36))).to.deep.equal([])
  })
})
