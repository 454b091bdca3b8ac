import type {
  PinCopy,
  PinDocument,
  PinOperations,
  PinStatusDocument,
  RepoOperations,
  VerifyRow,
} from '../../node/operations.ts'
import { CodedError } from '../../protocols/shared/errors.ts'

const PEER = '12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2'
const CID = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'

export const PINNED: PinCopy = {
  peerId: PEER,
  name: 'alpha-1',
  status: 'pinned',
  reason: null,
  attempts: 1,
  since: '2026-01-01T00:00:00.000Z',
  progress: null,
  proven: '2026-01-01T01:00:00.000Z',
}

export const STUCK: PinCopy = {
  ...PINNED,
  name: 'alpha-2',
  status: 'pinning',
  reason: { code: 'stalled', message: 'nobody sends it', missing: CID, lastBlockSecondsAgo: 90 },
  attempts: 3,
  progress: { blocks: 40, bytes: 41_943_040, totalBytes: 104_857_600, bytesPerSecond: 1_048_576 },
  proven: null,
}

export function pinDocument(changes: Partial<PinDocument> = {}): PinDocument {
  return {
    cid: CID,
    name: 'photos',
    mode: 'recursive',
    replicationMin: 2,
    replicationMax: 3,
    allocations: [PEER],
    expires: null,
    metadata: {},
    origins: [],
    owner: PEER,
    priority: 5,
    created: '2026-01-01T00:00:00.000Z',
    names: { [PEER]: 'alpha-1' },
    ...changes,
  }
}

export function statusDocument(changes: Partial<PinStatusDocument> = {}): PinStatusDocument {
  return {
    cid: CID,
    name: 'photos',
    replicationMin: 2,
    replicationMax: 3,
    pinned: 1,
    copies: [PINNED, STUCK],
    ...changes,
  }
}

/** Calls are kept with what they were given, as JSON. */
export function fakePins(calls: string[]): PinOperations {
  const say = (name: string, ...given: unknown[]) =>
    calls.push([`pins.${name}`, ...given.map((value) => JSON.stringify(value))].join(' '))
  const known = (path: string) => {
    if (!path.startsWith('bafk')) throw new CodedError('E_CID_INVALID', `"${path}" is not a CID`)
  }
  return {
    async add(path, options) {
      known(path)
      say('add', path, options)
      return pinDocument(options as Partial<PinDocument>)
    },
    async *addAndWait(path, options, wait) {
      known(path)
      say('addAndWait', path, options, wait)
      yield statusDocument()
      yield statusDocument({ pinned: 2, copies: [PINNED, { ...PINNED, name: 'alpha-2' }] })
    },
    async remove(path) {
      say('remove', path)
      return pinDocument()
    },
    async update(from, to, options) {
      say('update', from, to, options)
      return pinDocument({ cid: to })
    },
    async list(filter, page) {
      say('list', filter, page)
      return page.after === 'two'
        ? { pins: [pinDocument({ name: 'second' })], next: null }
        : { pins: [pinDocument()], next: 'two' }
    },
    async get(path) {
      known(path)
      say('get', path)
      return pinDocument()
    },
    async status(path, options) {
      known(path)
      say('status', path, options)
      return statusDocument()
    },
    async statuses(filter, page) {
      say('statuses', filter, page)
      return { statuses: [statusDocument()], next: page.after === undefined ? 'two' : null }
    },
    async recover(path, options) {
      say('recover', path, options)
      return { recovered: 2 }
    },
    async *verify(path, options) {
      say('verify', path, options)
      yield* verifyRows(options.repair)
    },
    async plan() {
      say('plan')
      return {
        moves: [{ cid: CID, name: 'photos', add: ['alpha-3'], drop: ['alpha-2'], reason: 'lost' }],
        short: [{ cid: CID, name: 'films', wants: 2, has: 1 }],
        more: 4,
        names: {},
      }
    },
    async *export() {
      say('export')
      yield { cid: CID, name: 'photos' }
      yield { cid: CID, name: 'films', replicationMin: 1 }
    },
    async *import(lines, rewrite) {
      say('import', rewrite)
      let [imported, refused] = [0, 0]
      for await (const line of lines) {
        if (line.type === 'refused') {
          refused++
          yield line
        } else say(`import line ${line.line}`, line.pin, ++imported)
      }
      yield { type: 'progress', imported }
      yield { type: 'end', imported, refused }
    },
  }
}

function verifyRows(repaired: boolean): VerifyRow[] {
  return [
    { type: 'progress', blocks: 1, bytes: 10, totalBlocks: 2 },
    { type: 'damaged', cid: CID, message: 'its bytes do not match its hash', blocks: 2, bytes: 20, totalBlocks: 2 },
    ...(repaired ? [{ type: 'repaired', cid: CID, blocks: 2, bytes: 20, totalBlocks: 2 } as const] : []),
    { type: 'end', blocks: 2, bytes: 20 },
  ]
}

export function fakeRepo(calls: string[]): RepoOperations {
  return {
    async stat() {
      calls.push('repo.stat')
      return {
        blocks: 1200,
        usedBytes: 1_048_576,
        quotaBytes: 10_485_760,
        pins: { pinned: 7, pinning: 1, failed: 0 },
        freeBytes: 9_437_184,
        path: '/var/lib/kairos/blocks',
      }
    },
    async *gc() {
      calls.push('repo.gc')
      yield { done: false, examined: 600, removed: 3, freedBytes: 300, spared: 0, sparedBytes: 0, totalBlocks: 1200 }
      yield {
        done: true,
        examined: 1200,
        removed: 5,
        freedBytes: 2048,
        spared: 2,
        sparedBytes: 1024,
        totalBlocks: 1200,
      }
    },
    async *verify({ repair }) {
      calls.push(`repo.verify ${repair}`)
      yield* verifyRows(repair)
    },
  }
}
