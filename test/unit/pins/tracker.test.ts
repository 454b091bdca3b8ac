import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { FetchError, type FetchProblem } from '../../../node/content/fetch-problem.ts'
import type { LocalPin, PinWalkOptions } from '../../../node/content/pins/index.ts'
import { Tracker, type Wanted } from '../../../node/pins/tracker/index.ts'
import type { TrackerLimits } from '../../../node/pins/tracker/types.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'

interface Call {
  cid: string
  options: PinWalkOptions
  finish: () => void
  fail: (error: Error) => void
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('pins: tracker', () => {
  const trackers: Tracker[] = []
  let cids: string[]
  before(async () => {
    const all = Array.from({ length: 40 }, async (_, n) => CID.createV1(0x55, await sha256.digest(Uint8Array.of(n))))
    cids = (await Promise.all(all)).map(String)
  })
  afterEach(async () => {
    await Promise.all(trackers.splice(0).map((tracker) => tracker.stop()))
  })

  function begin(limits: Partial<TrackerLimits> = {}) {
    const calls: Call[] = []
    const unpinned: string[] = []
    const time = { now: 1_000_000 }
    const changed: string[] = []
    const problems: ((problem: FetchProblem) => void)[] = []
    const pin = (cid: CID, options: PinWalkOptions) => {
      const { promise, resolve, reject } = Promise.withResolvers<LocalPin>()
      options.signal.addEventListener('abort', () => reject(options.signal.reason as Error))
      calls.push({ cid: cid.toString(), options, finish: () => resolve({} as LocalPin), fail: reject })
      return promise
    }
    const tracker = new Tracker({
      pins: { pin, unpin: async (cid) => void unpinned.push(cid.toString()) },
      fetch: (_pin, onProblem) => {
        problems.push(onProblem)
        return () => Promise.reject(new Error('unused'))
      },
      onChange: (cid) => changed.push(cid),
      limits,
      now: () => time.now,
      random: () => 1,
    })
    trackers.push(tracker)
    return { tracker, calls, unpinned, time, changed, problems }
  }

  const wanted = (at: number, more: Partial<Wanted> = {}): Wanted => ({
    cid: cids[at]!,
    mode: 'recursive',
    priority: 0,
    origins: [],
    ...more,
  })
  const gone = (message = 'nobody sent it') => new CodedError('E_CONTENT_NOT_FOUND', message)

  it('pins what is wanted, says how far it is, and then knows nothing of it', async () => {
    const { tracker, calls, time } = begin()
    tracker.want(wanted(0))
    const [call] = calls
    time.now += 2_000
    call!.options.onProgress?.({ blocks: 3, bytes: 6_000, totalBytes: 9_000, missing: cids[1]! })
    const status = tracker.statusOf(cids[0]!)
    expect(status?.status).to.equal('pinning')
    expect(status?.progress).to.deep.equal({ blocks: 3, bytes: 6_000, totalBytes: 9_000, bytesPerSecond: 3_000 })
    expect(status?.reason?.missing).to.equal(cids[1])
    call!.finish()
    await turn()
    expect(tracker.statusOf(cids[0]!)).to.equal(undefined)
  })

  it('says what holds up a block until one comes, and why it was given up', async () => {
    const { tracker, calls, time, problems } = begin()
    tracker.want(wanted(0))
    const missing = cids[1]!
    const progress = { blocks: 3, bytes: 6_000, totalBytes: 9_000, missing }
    calls[0]!.options.onProgress?.(progress)
    problems[0]!({ code: 'dial_failed', message: 'no way to it', missing })
    time.now += 3_000
    const reason = { code: 'dial_failed', message: 'no way to it', missing, lastBlockSecondsAgo: 3 }
    expect(tracker.statusOf(cids[0]!)?.reason).to.deep.equal(reason)
    calls[0]!.options.onProgress?.({ ...progress, blocks: 4 })
    expect(tracker.statusOf(cids[0]!)?.reason?.code).to.equal('fetching')
    calls[0]!.fail(new FetchError('nobody sent it', { code: 'dial_failed', message: 'no way to it', missing }, ''))
    await turn()
    const after = { code: 'dial_failed', message: 'nobody sent it', missing }
    expect(tracker.statusOf(cids[0]!)?.reason).to.deep.equal(after)
  })

  it('the higher priority first, then who came first', async () => {
    const { tracker, calls } = begin({ active: 1 })
    tracker.want(wanted(0))
    for (const [at, priority] of [
      [1, 0],
      [2, 5],
      [3, 9],
      [4, 5],
    ] as const)
      tracker.want(wanted(at, { priority }))
    for (let n = 0; n < 5; n++) {
      calls.at(-1)!.finish()
      await turn()
    }
    expect(calls.map(({ cid }) => cids.indexOf(cid))).to.deep.equal([0, 3, 2, 4, 1])
  })

  it('what failed says why, waits twice as long each time, and takes few places', async () => {
    const { tracker, calls, time } = begin({ active: 2, again: 1, firstRetryMs: 1_000 })
    tracker.want(wanted(0))
    for (const [attempt, waits] of [1_000, 2_000, 4_000].entries()) {
      calls.at(-1)!.fail(gone())
      await turn()
      const status = tracker.statusOf(cids[0]!)!
      expect([status.status, status.attempts, status.reason?.code]).to.deep.equal([
        'pin_error',
        attempt + 1,
        'no_providers',
      ])
      time.now += waits - 1_000
      tracker.look()
      expect(tracker.statusOf(cids[0]!)?.status).to.equal('pin_error')
      time.now += 1_000
      tracker.look()
      expect(tracker.statusOf(cids[0]!)?.status).to.equal('pinning')
    }
  })

  it('however many fail, new ones are fetched at once', async () => {
    const { tracker, calls, time } = begin({ active: 4, again: 1, firstRetryMs: 1_000 })
    for (let at = 0; at < 20; at++) tracker.want(wanted(at))
    for (let n = 0; n < 20; n++) {
      calls[n]!.fail(gone())
      await turn()
    }
    time.now += 3_000
    tracker.look()
    expect(tracker.counts().pinning).to.equal(1)
    tracker.want(wanted(30))
    expect(tracker.statusOf(cids[30]!)?.status).to.equal('pinning')
  })

  it('who gets no block gives its place away and goes on waiting; too many, and the one that waits longest ends', async () => {
    const { tracker, calls, time } = begin({ active: 2, patient: 2, stallMs: 1_000 })
    for (let at = 0; at < 6; at++) tracker.want(wanted(at))
    expect(calls).to.have.length(2)
    for (const places of [4, 6]) {
      time.now += 1_000
      tracker.look()
      await turn()
      expect(calls).to.have.length(places)
    }
    expect(cids.slice(0, 6).map((cid) => tracker.statusOf(cid)?.status)).to.deep.equal([
      'pin_error',
      'pin_error',
      'pinning',
      'pinning',
      'pinning',
      'pinning',
    ])
    calls[2]!.finish()
    await turn()
    expect(tracker.statusOf(cids[2]!)).to.equal(undefined)
  })

  it('what only a person can mend is not tried again, but by recover', async () => {
    const { tracker, calls, time } = begin()
    tracker.want(wanted(0))
    calls[0]!.fail(new CodedError('E_CODEC_UNSUPPORTED', 'codec 0x99'))
    await turn()
    time.now += 10_000_000
    tracker.look()
    expect(calls).to.have.length(1)
    expect(tracker.recover(cids[1]!)).to.equal(0)
    expect(tracker.recover()).to.equal(1)
    expect(calls).to.have.length(2)
  })

  it('dropped while it is fetched: the fetch ends, then it is unpinned; wanted again at once: it is pinned', async () => {
    const { tracker, calls, unpinned } = begin()
    tracker.want(wanted(0))
    tracker.drop(cids[0]!)
    await turn()
    await turn()
    expect([calls[0]!.options.signal.aborted, unpinned]).to.deep.equal([true, [cids[0]]])
    expect(tracker.statusOf(cids[0]!)).to.equal(undefined)
    tracker.want(wanted(0))
    tracker.drop(cids[0]!)
    tracker.want(wanted(0))
    await turn()
    await turn()
    calls.at(-1)!.finish()
    await turn()
    expect([tracker.statusOf(cids[0]!), unpinned]).to.deep.equal([undefined, [cids[0]]])
  })

  it('wanted in another mode when it is as good as pinned in the first: it is pinned anew', async () => {
    const { tracker, calls } = begin()
    tracker.want(wanted(0, { mode: 'direct' }))
    calls[0]!.finish()
    tracker.want(wanted(0))
    await turn()
    expect(calls.map(({ options }) => options.mode)).to.deep.equal(['direct', 'recursive'])
    calls[1]!.finish()
    await turn()
    expect(tracker.statusOf(cids[0]!)).to.equal(undefined)
  })

  it('tells when all that was dropped is unpinned, whatever is fetched meanwhile', async () => {
    const { tracker, unpinned } = begin()
    tracker.want(wanted(0))
    for (let at = 1; at < 12; at++) tracker.drop(cids[at]!)
    await tracker.unpinned()
    expect(unpinned).to.have.members(cids.slice(1, 12))
    expect(tracker.statusOf(cids[0]!)?.status).to.equal('pinning')
  })

  it('dropped while it waits to be tried again: it is unpinned and tried no more', async () => {
    const { tracker, calls, unpinned, time } = begin({ firstRetryMs: 1_000 })
    tracker.want(wanted(0))
    calls[0]!.fail(gone())
    await turn()
    tracker.drop(cids[0]!)
    await turn()
    time.now += 100_000
    tracker.look()
    expect([calls.length, unpinned, [...tracker.cids()]]).to.deep.equal([1, [cids[0]], []])
  })

  it('stop ends what runs and starts nothing more', async () => {
    const { tracker, calls } = begin({ active: 1 })
    tracker.want(wanted(0))
    tracker.want(wanted(1))
    await tracker.stop()
    tracker.want(wanted(2))
    expect([calls.length, calls[0]!.options.signal.aborted]).to.deep.equal([1, true])
  })
})
