import { expect } from 'chai'
import { checkPins } from '../../../node/doctor-pins.ts'
import { cellHealth, summaryOf, trackedHealth, type CellPinHealth, type PinHealth } from '../../../node/pins/health.ts'
import type { Tracked } from '../../../node/pins/tracker/index.ts'
import { peer } from '../state/cell.ts'
import { cellOf, cidOf, pin, space } from '../state/pins.ts'

const NOW = 1_000_000_000
const tracked = (status: Tracked['status'], changes: Partial<Tracked> = {}): Tracked => ({
  status,
  reason: null,
  attempts: 0,
  since: NOW,
  progress: null,
  ...changes,
})
const trackerOf = (...all: Tracked[]) => ({
  cids: () => all.map((_, at) => cidOf(at)),
  statusOf: (cid: string) => all.find((_, at) => cidOf(at) === cid),
})
const PROGRESS = { blocks: 1, bytes: 1, totalBytes: null, bytesPerSecond: 0 }

describe('the health of pins', () => {
  it('tells what failed first and why, and how long nothing has moved', () => {
    const reason = { code: 'quota' as const, message: 'no room' }
    const silent = { code: 'fetching' as const, message: '', lastBlockSecondsAgo: 400 }
    const health = trackedHealth(
      trackerOf(
        tracked('pin_queued', { since: NOW - 900_000 }),
        tracked('pin_error', { reason }),
        tracked('pinning', { since: NOW - 800_000, reason: silent, progress: PROGRESS }),
        tracked('unpin_error'),
      ),
      NOW,
    )
    expect(health).to.deep.equal({
      failed: { count: 2, first: { cid: cidOf(1), reason } },
      underWay: { count: 2, idleMs: 400_000 },
    })
  })

  it('is summed up for the status: failed is not under way', async () => {
    const tracker = { counts: () => ({ pinning: 2, pin_queued: 3, pin_error: 4, unpin_error: 1 }) }
    const local = { stat: async () => ({ pins: { pinned: 9, pinning: 5, failed: 4 } }) }
    expect(await summaryOf(tracker, local as never)).to.deep.equal({ pinned: 9, underWay: 5, failed: 5 })
  })

  it('of a cell: pins that cannot have min copies with those that are there, copies without proof, who is away', async () => {
    const replica = cellOf('ABC')
    replica.run(space('A', 5))
    pin(replica, 1, { min: 3, max: 3, name: 'films' })
    pin(replica, 2, { min: 1, max: 1 })
    const health = await cellHealth({
      cell: { tree: replica.tree, isLeader: true },
      mesh: {
        self: peer('A'),
        nameOf: (peerId) => (peerId === peer('C') ? 'carol' : peerId),
        isConnected: (peerId) => peerId !== peer('C'),
      },
      proofs: { provenAt: () => undefined, badCopies: (cid) => (cid === cidOf(2) ? [peer('B')] : []) },
      isRepairing: false,
    })
    expect(health.short).to.deep.include({ looked: 2, count: 1 })
    expect(health.short.first).to.include({ cid: cidOf(1), name: 'films', wants: 3, has: 2 })
    expect(health).to.deep.include({ agreed: 2, unproven: 1, away: ['carol'], isRepairing: false, isSpaceKnown: true })
  })
})

describe('doctor on pins', () => {
  const WELL: CellPinHealth = {
    agreed: 5,
    short: { looked: 5, count: 0, first: undefined },
    unproven: 0,
    away: [],
    isRepairing: true,
    isLeader: true,
    isSpaceKnown: true,
  }
  const found = async (check: string, changes: Partial<PinHealth> = {}, cell: Partial<CellPinHealth> = {}) => {
    const health: PinHealth = {
      failed: { count: 0, first: undefined },
      underWay: { count: 0, idleMs: undefined },
      cell: { ...WELL, ...cell },
      ...changes,
    }
    const findings = await checkPins({ pins: { health: async () => health } } as never)
    return findings.find((finding) => finding.check === check)!
  }

  it('finds nothing where all is well, checks less without a cell, and nothing where no pins are kept', async () => {
    const checks = ['pins', 'pin queue', 'pin copies', 'pin repair', 'pin proofs', 'pin space']
    for (const check of checks)
      expect(await found(check))
        .to.have.all.keys('check', 'ok', 'message')
        .and.include({ ok: true })
    expect(await found('pin copies', { cell: undefined })).to.equal(undefined)
    expect(await checkPins({ pins: undefined })).to.deep.equal([])
  })

  const reason = { code: 'quota' as const, message: 'the quota is used up' }
  const first = { cid: cidOf(1), name: 'films', wants: 3, has: 1 }
  const BAD: [string, string, Partial<PinHealth>, Partial<CellPinHealth>, RegExp, RegExp][] = [
    [
      'a pin that failed here',
      'pins',
      { failed: { count: 2, first: { cid: cidOf(1), reason } } },
      {},
      /^2 pins failed here; the first one is bafk\w+: the quota is used up$/,
      /kairos pin recover --local/,
    ],
    [
      'a queue that stands still',
      'pin queue',
      { underWay: { count: 3, idleMs: 660_000 } },
      {},
      /^3 pins under way, and nothing has moved for 11 minutes$/,
      /kairos pin status --local/,
    ],
    [
      'pins that are short',
      'pin copies',
      {},
      { agreed: 50_000, short: { looked: 20_000, count: 7, first }, away: ['bob'] },
      /^7 of the first 20000 pins cannot have min copies \(away: bob\); films wants 3 and has 1$/,
      /start the members that are away/,
    ],
    [
      'repair off at the leader',
      'pin repair',
      {},
      { isRepairing: false, away: ['bob'] },
      /while bob is away$/,
      /pins\.repair/,
    ],
    ['copies without proof', 'pin proofs', {}, { unproven: 1 }, /^1 pin with a copy/, /repo verify --repair/],
  ]
  for (const [what, check, changes, cell, message, remedy] of BAD)
    it(`finds ${what}, with a remedy`, async () => {
      const finding = await found(check, changes, cell)
      expect(finding.ok).to.equal(false)
      expect(finding.message).to.match(message)
      expect(finding.remedy).to.match(remedy)
    })

  it('warns of repair that is off where nobody is away or another leads, and of space that nobody knows', async () => {
    for (const finding of [
      await found('pin repair', {}, { isRepairing: false }),
      await found('pin repair', {}, { isRepairing: false, isLeader: false, away: ['bob'] }),
      await found('pin space', {}, { isSpaceKnown: false }),
    ]) {
      expect(finding.ok, finding.message).to.equal(true)
      expect(finding.remedy, finding.message).to.be.a('string')
    }
  })

  it('lets a queue that moves be', async () => {
    expect((await found('pin queue', { underWay: { count: 3, idleMs: 4_000 } })).message).to.equal('3 pins under way')
  })
})
