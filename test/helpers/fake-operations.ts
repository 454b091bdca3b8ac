import type {
  AddRow,
  CellDocument,
  CellMemberRow,
  CellSummary,
  CoherenceValue,
  GlobalCoherence,
  NodeDocument,
  Operations,
  PeerRow,
} from '../../node/operations.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { CHAIN, fakeRecord } from './fake-record.ts'
import { fakePins, fakeRepo, pinDocument, statusDocument } from './fake-pins.ts'

export const FAKE_PEER = '12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2'
export const FAKE_CID = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
export const FAKE_TEXT = 'hello world\n'

const node: NodeDocument = {
  peerId: FAKE_PEER,
  name: 'fake',
  role: 'full',
  cell: 'home',
  rights: ['issue', 'found'],
  meshId: 'bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae',
  addresses: [`/ip4/127.0.0.1/tcp/18789/p2p/${FAKE_PEER}`],
  protocolVersion: 1,
}
const value: CoherenceValue = { t: [0.6, 0.7], magnitudeSquared: 0.85, collapsed: false, nEff: 20, falseAlarm: 1e-9 }
const global: GlobalCoherence = {
  t: [0.6, 0.7],
  magnitudeSquared: 0.85,
  median: [0.6, 0.7],
  collapsed: false,
  weightReporting: 1,
  weightAgreeing: 0.75,
  falseAlarm: 1e-9,
  dissenters: ['delta-1'],
}
const peer: PeerRow = {
  peerId: FAKE_PEER,
  name: 'alpha-2',
  role: 'full',
  cell: 'alpha',
  version: '0.1.0',
  connected: true,
  direction: 'outbound',
  relayed: false,
  addresses: ['/ip4/127.0.0.1/tcp/18790'],
  roundTripMs: 0.4,
  score: 12.5,
  reportAgeSeconds: 0.3,
}

const cellSummary: CellSummary = {
  name: 'home',
  role: 'leader',
  leader: 'fake',
  term: 3,
  commitIndex: 12,
  appliedIndex: 12,
  voters: ['fake'],
  learners: [],
  hasQuorum: true,
  problem: null,
}
export const FAKE_CELL: CellDocument = {
  ...cellSummary,
  cell: 'home',
  raftId: 1,
  leader: FAKE_PEER,
  snapshotIndex: 10,
  stateRoot: FAKE_CID,
  voters: [FAKE_PEER],
  absent: [],
  renewed: [],
  counters: { leaderChanges: 1, traps: 0, refusedMessages: 0, slowFlushes: 0 },
  names: { [FAKE_PEER]: 'fake' },
}
const member: CellMemberRow = {
  peerId: FAKE_PEER,
  name: 'fake',
  raftId: 1,
  status: 'voter',
  counts: 'voter',
  isLeader: true,
  isSelf: true,
  behind: 0,
  isActive: true,
  since: '2026-01-01T00:00:00.000Z',
  draining: false,
  copies: 3,
  labels: {},
}

/** A node that says what a test wants; `calls` tells what it was asked. */
export function fakeOperations(overrides: Partial<Operations> = {}): Operations & { calls: string[] } {
  const calls: string[] = []
  const said = <T>(name: string, answer: T): T => {
    calls.push(name)
    return answer
  }
  const operations: Operations = {
    id: () => said('id', node),
    version: () => said('version', { version: '0.1.0', protocolVersion: 1, node: '24.0.0', system: 'linux x64' }),
    status: async () =>
      said('status', {
        ...node,
        version: '0.1.0',
        uptimeSeconds: 12,
        ready: true,
        reasons: [],
        peers: { connected: 1, known: 2 },
        operators: { total: 4, toleratedFaults: 1 },
        coherence: value,
        global,
        cells: [cellSummary],
        pins: { agreed: 12, pinned: 7, underWay: 1, failed: 2, repair: true },
        chain: CHAIN,
        memory: { rssBytes: 100_000_000 },
        warnings: [],
      }),
    readiness: () => said('readiness', { ready: true, reasons: [] }),
    doctor: async () => said('doctor', [{ check: 'disk', ok: true, message: 'enough space' }]),
    peers: async () => said('peers', [peer]),
    async *ping(peerId, count) {
      calls.push('ping')
      for (let sequence = 1; sequence <= count; sequence++) yield { peerId, sequence, roundTripMs: 0.5 }
    },
    connect: async () => said('connect', peer),
    async *query(what) {
      calls.push('query')
      yield { peerId: FAKE_PEER, name: 'alpha-2', data: { what } }
      yield { peerId: FAKE_PEER, name: 'beta-1', error: { code: 'E_UNREACHABLE', message: 'not connected' } }
    },
    coherence: () =>
      said('coherence', {
        time: 1_700_000_000_000,
        signal: { state: 'running', samples: 10, badSamples: 0, passes: 1 },
        emissary: value,
        master: value,
        sync: { ...value, deltaMagnitude: 0.01, deltaArgument: 0.02, realignments: 0 },
        global,
        reports: [
          {
            peerId: FAKE_PEER,
            name: 'alpha-2',
            role: 'full',
            cell: 'alpha',
            weight: 1,
            t: [0.6, 0.7],
            magnitudeSquared: 0.85,
            collapsed: false,
            falseAlarm: 1e-9,
            ageSeconds: 0.3,
            state: 'fresh',
            dissents: false,
          },
        ],
      }),
    coherenceHistory: ({ limit }) =>
      said(
        'coherenceHistory',
        Array.from({ length: Math.min(limit, 3) }, (_, i) => ({
          time: 1_700_000_000_000 + i * 1000,
          t: [0.6, 0.7] as [number, number],
          magnitudeSquared: 0.85,
          collapsed: false,
          global: { t: [0.6, 0.7] as [number, number], magnitudeSquared: 0.85, collapsed: false },
        })),
      ),
    invite: async ({ role, cell = 'home', rights = [], uses = 1 }) =>
      said('invite', {
        ticket: 'kairos1abc',
        meshId: node.meshId,
        cell,
        role,
        rights,
        expires: '2030-01-01T00:00:00.000Z',
        uses,
      }),
    cell: {
      status: () => said('cell.status', FAKE_CELL),
      members: async ({ stale }) => said(`cell.members${stale ? ' stale' : ''}`, [member]),
      remove: async (name, reason) => said(`cell.remove ${name} ${reason}`, { peerId: FAKE_PEER, name, reason }),
      label: async (name, key, value) =>
        said(`cell.label ${name} ${key} ${value}`, { peerId: FAKE_PEER, name, key, value }),
      transfer: async (to = 'fake') => said(`cell.transfer ${to}`, { leader: FAKE_PEER, name: to }),
      snapshot: async () => said('cell.snapshot', { index: 12, root: FAKE_CID }),
      drain: async (name, draining) =>
        said(`cell.${draining ? '' : 'un'}drain ${name}`, { peerId: FAKE_PEER, name, draining, copies: 3 }),
      async *leave(options) {
        calls.push(`cell.leave ${JSON.stringify(options)}`)
        if (options.drain) yield { copiesLeft: 2 }
        yield { left: 'home' }
        operations.stop()
      },
    },
    mesh: fakeRecord(calls),
    content: fakeContent(calls),
    pins: fakePins(calls),
    repo: fakeRepo(calls),
    log: {
      level: (level, component = '*') => said('log.level', { levels: { [component]: level } }),
      recent: () =>
        said('log.recent', [{ level: 'info', time: '2026-01-01T00:00:00.000Z', component: 'kairos', msg: 'ready' }]),
      async *tail() {
        calls.push('log.tail')
        yield { level: 'info', time: '2026-01-01T00:00:00.000Z', component: 'kairos', msg: 'ready' }
      },
    },
    stop: () => said('stop', undefined),
    async *events(cursor = 0) {
      calls.push('events')
      for (let i = cursor + 1; i <= 3; i++)
        yield { cursor: i, time: 1_700_000_000_000 + i, type: 'coherence', data: { magnitudeSquared: 0.85 } }
    },
    ...overrides,
  }
  return { ...operations, calls }
}

function fakeContent(calls: string[]): Operations['content'] {
  const text = new TextEncoder().encode(FAKE_TEXT)
  const known = (path: string) => {
    if (!path.startsWith(FAKE_CID)) throw new CodedError('E_CID_INVALID', `${path} is no CID`)
    if (path.includes('/missing')) throw new CodedError('E_PATH_NOT_FOUND', 'there is no "missing"')
  }
  async function* bytes() {
    yield text
  }
  return {
    async *add(entries, { pin, wait }) {
      for await (const { path, content } of entries) {
        let size = 0
        for await (const chunk of content ?? []) size += chunk.length
        calls.push(`add ${path}${content === undefined ? '/' : ''} ${size}`)
        yield { path, cid: FAKE_CID, size } satisfies AddRow
      }
      if (pin === undefined) return
      calls.push(`pin ${JSON.stringify(pin)}${wait === undefined ? '' : ` ${JSON.stringify(wait)}`}`)
      yield wait === undefined ? { pin: pinDocument() } : { status: statusDocument() }
    },
    async *cat(path, { offset = 0, length = text.length }) {
      known(path)
      calls.push('cat')
      yield text.subarray(offset, offset + length)
    },
    async *walk(path) {
      known(path)
      calls.push('walk')
      yield { path: '', cid: FAKE_CID, type: 'directory', size: 0 }
      yield { path: 'docs', cid: FAKE_CID, type: 'directory', size: 0 }
      yield { path: 'docs/hello.txt', cid: FAKE_CID, type: 'file', size: text.length, content: bytes() }
    },
    async *car(path) {
      known(path)
      calls.push('car')
      yield text
    },
    async *ls(path) {
      known(path)
      calls.push('ls')
      yield { name: 'hello.txt', cid: FAKE_CID, type: 'file', size: text.length }
      yield { name: 'docs', cid: FAKE_CID, type: 'directory', size: 0 }
    },
    async stat(path) {
      known(path)
      calls.push('stat')
      return { cid: FAKE_CID, type: 'file', size: text.length, dagSize: text.length, blocks: 1 }
    },
  }
}
