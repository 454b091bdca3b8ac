import type {
  ChainSummary,
  EpochDocument,
  EpochRow,
  MotionDocument,
  RecordOperations,
  ValidatorsDocument,
} from '../../node/operations.ts'
import { CodedError } from '../../protocols/shared/errors.ts'

const PEER = '12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2'
const OTHER = '12D3KooWMTXVjEgmuQ5RFg3QYFYSWuSk5k7fttSa4RjbAeXhEqd9'
const CID = 'bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae'
export const MOTION = `7f3a${'0'.repeat(60)}`

/** Four operators, of which one may lie; all is well. */
export const CHAIN: ChainSummary = {
  height: 1234,
  cid: CID,
  time: '2026-01-01T00:00:00.000Z',
  role: 'validator',
  finalizedMs: { p50: 52.4, p99: 110.2 },
  t: [0.6, 0.7],
  magnitudeSquared: 0.85,
  collapsed: false,
  validators: 6,
  operators: 4,
  toleratedFaults: 1,
  trust: 'genesis',
  behind: 0,
  problem: null,
  counters: { rounds: 1240, missedProposals: 3, evidence: 1, traps: 0, refusedMessages: 2, syncedEpochs: 100 },
}

export const EPOCH_ROW: EpochRow = {
  height: 1234,
  cid: CID,
  time: '2026-01-01T00:00:00.000Z',
  round: 0,
  proposer: PEER,
  proposerName: 'alpha-1',
  reports: 2,
  t: [0.6, 0.7],
  magnitudeSquared: 0.85,
  collapsed: false,
  evidence: 0,
  governance: 1,
}

export const EPOCH: EpochDocument = {
  ...EPOCH_ROW,
  previous: CID,
  state: CID,
  median: [0.6, 0.7],
  decision: { collapsed: false, agreeing: 0.5, reporting: 1 },
  validators: { cid: CID, nextCid: CID },
  certificate: {
    round: 0,
    signers: [
      { peerId: PEER, name: 'alpha-1', power: 6 },
      { peerId: OTHER, name: 'beta-1', power: 6 },
    ],
    power: 12,
    total: 18,
  },
  reportRows: [
    { peerId: PEER, name: 'alpha-1', cell: 'alpha', t: [0.6, 0.7], counted: true },
    { peerId: OTHER, name: 'beta-1', cell: 'beta', t: [0.5, 0.8], counted: false },
  ],
  attestations: [{ cell: 'alpha', epoch: 1230, root: CID, t: null, revoked: [OTHER] }],
  governanceRows: [{ by: PEER, kind: 'vote', text: `yes to ${MOTION.slice(0, 8)}` }],
  evidenceRows: [{ key: OTHER, height: 1200, kind: 'votes' }],
}

export const VALIDATORS: ValidatorsDocument = {
  height: 1234,
  operators: [
    {
      name: 'Alpha',
      cell: 'alpha',
      weight: 3,
      members: [
        { peerId: PEER, name: 'alpha-1', isValidator: true, power: 6, isSelf: true, isConnected: false },
        { peerId: OTHER, name: 'alpha-2', isValidator: false, power: 0, isSelf: false, isConnected: true },
      ],
      attested: { epoch: 1230, root: CID, t: [0.6, 0.7] },
    },
  ],
  policy: {
    epochMs: 1000,
    idleEpochMs: 10_000,
    trustingMs: 1_209_600_000,
    collapseThreshold: 1_020_054_733,
    maxValidators: 16,
    doubleVote: 'remove',
  },
  total: 6,
  toleratedFaults: 0,
  next: { height: 1236, validators: [{ peerId: PEER, power: 6 }] },
  out: [],
  revoked: [],
}

export function motion(changes: Partial<MotionDocument> = {}): MotionDocument {
  return {
    id: MOTION,
    change: { type: 'operator-remove', cell: 'delta' },
    text: 'operator delta goes',
    by: PEER,
    opened: 1230,
    expires: 2230,
    state: 'open',
    holdsFrom: null,
    yes: 0.25,
    no: 0,
    ...changes,
  }
}

/** A record that says what a test wants; what it was asked goes into `calls`. */
export function fakeRecord(calls: string[]): RecordOperations {
  const known = (height: number | 'latest') => {
    if (height === 'latest' || height <= CHAIN.height) return
    throw new CodedError('E_EPOCH_UNKNOWN', `epoch ${height} is not final yet`, { hint: 'epochs 1 to 1234 are here' })
  }
  return {
    summary: () => CHAIN,
    async *epochs({ from, limit }) {
      calls.push(`mesh.epochs ${from ?? '-'} ${limit}`)
      for (let i = 0; i < Math.min(limit, 2); i++)
        yield { ...EPOCH_ROW, height: from === undefined ? 1234 - i : from + i }
    },
    async epoch(height) {
      known(height)
      calls.push(`mesh.epoch ${height}`)
      return height === 'latest' ? EPOCH : { ...EPOCH, height }
    },
    async exportEpoch(height, from) {
      known(height)
      calls.push(`mesh.export ${height}${from === undefined ? '' : ` from ${from}`}`)
      return new TextEncoder().encode('an epoch')
    },
    async validators() {
      calls.push('mesh.validators')
      return VALIDATORS
    },
    async motions() {
      calls.push('mesh.motions')
      return [motion()]
    },
    async move(change, options) {
      calls.push(`mesh.move ${JSON.stringify(change)} ${JSON.stringify(options)}`)
      return motion({ change })
    },
    async vote(id, yes) {
      if (!MOTION.startsWith(id)) throw new CodedError('E_MOTION_UNKNOWN', `no motion that is open begins with ${id}`)
      calls.push(`mesh.vote ${id} ${yes}`)
      return motion()
    },
  }
}
