import { expect } from 'chai'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { createGenesis, type Member } from '../../../protocols/admission/index.ts'
import type { PhaseReport } from '../../../protocols/phase/index.ts'
import { createReportPool, MAX_AUTHORS } from '../../../node/coherence/reports.ts'
import { founderEntry, identity } from '../admission/fixtures.ts'
import { reportBy } from '../phase/reports.ts'

const Q30 = 2 ** 30
const STALE_MS = 3000
const CELLS = ['alpha', 'beta', 'gamma', 'delta'] as const

/** T on a ray of so many degrees; master and emissary alike, so that T_sync is their mean. */
function pointing(magnitude: number, degrees: number): Partial<PhaseReport> {
  const angle = (degrees * Math.PI) / 180
  const t: [number, number] = [
    Math.round(magnitude * Math.cos(angle) * Q30),
    Math.round(magnitude * Math.sin(angle) * Q30),
  ]
  return { emissary: t, master: t, sync: t }
}

describe('report pool', () => {
  let key: Ed25519PrivateKey
  let now: number
  let members: Map<string, Member>
  let pool: ReturnType<typeof createReportPool>
  let seq: number
  let operators: { cell: string; weight: number }[]
  const founders = Promise.all(CELLS.map(() => identity()))
  before(async () => {
    key = await generateKeyPair('Ed25519')
  })

  beforeEach(async () => {
    const entries = (await founders).map((founder, i) => founderEntry(founder, CELLS[i]!))
    const weights = Object.fromEntries(CELLS.map((cell) => [cell, { weight: 3 }]))
    const { collapseThreshold, ...genesis } = createGenesis(entries, { name: 'test', operators: weights })
    operators = genesis.operators
    now = 0
    seq = 0
    members = new Map()
    pool = createReportPool({
      operators: () => operators,
      collapseThreshold,
      member: (id) => members.get(id),
      stalePeriods: 3,
      now: () => now,
    })
  })

  const admit = (peerId: string, cell: string, role: Member['role'] = 'full') =>
    members.set(peerId, { peerId, name: peerId, cell, role, rights: [] } as unknown as Member)
  const hear = (peerId: string, change: Partial<PhaseReport> = {}) =>
    pool.put(peerId, reportBy(key, { seq: ++seq, ...change }))
  const row = (peerId: string) => pool.rows().find((found) => found.peerId === peerId)!
  /** The local mesh: alpha of three, the others of one. */
  const everybody = ['a1', 'a2', 'a3', 'b', 'g', 'd']
  const admitAll = () =>
    everybody.forEach((id) =>
      admit(
        id,
        CELLS.find((cell) => cell[0] === id[0])!,
      ),
    )

  it('splits the weight of an operator over its full nodes that report', () => {
    admitAll()
    for (const id of everybody) hear(id)
    expect(pool.rows().map(({ name, weight }) => [name, weight])).to.deep.equal([
      ...['a1', 'a2', 'a3'].map((id) => [id, 1]),
      ...['b', 'g', 'd'].map((id) => [id, 3]),
    ])
    expect(pool.global().weightReporting).to.equal(1)
    now = STALE_MS + 1
    for (const id of everybody.slice(1)) hear(id)
    expect(['a1', 'a2', 'a3'].map((id) => row(id).weight)).to.deep.equal([0, 1.5, 1.5])
    expect(pool.global().weightReporting).to.equal(1)
  })

  it('counts a silent operator as zero, so that silencing others raises nothing', () => {
    admitAll()
    for (const id of everybody) hear(id, pointing(0.98, 10))
    const all = pool.global()
    now = STALE_MS + 1
    for (const id of ['a1', 'a2', 'a3', 'b']) hear(id, pointing(0.98, 10))
    const half = pool.global()
    expect([half.weightReporting, half.weightAgreeing, half.collapsed]).to.deep.equal([0.5, 0.5, false])
    expect(half.magnitudeSquared).to.be.closeTo(all.magnitudeSquared / 4, 1e-8)
    expect(['g', 'd'].map((id) => [row(id).state, row(id).weight])).to.deep.equal([
      ['stale', 0],
      ['stale', 0],
    ])
  })

  it('is stale after three periods of the author, not of this node', () => {
    admitAll()
    hear('b', { periodMs: 200 })
    hear('g', { periodMs: 5000 })
    now = 601
    expect([row('b').state, row('g').state]).to.deep.equal(['stale', 'fresh'])
    now = 15_001
    expect(row('g').state).to.equal('stale')
  })

  it('collapses on two thirds and names who stands apart', () => {
    admitAll()
    for (const id of ['a1', 'a2', 'a3', 'b', 'g']) hear(id, pointing(0.98, 10))
    hear('d', pointing(0.98, 100))
    const global = pool.global()
    expect([global.collapsed, global.weightAgreeing, global.dissenters]).to.deep.equal([true, 0.75, ['d']])
    expect(pool.rows().filter(({ dissents }) => dissents)).to.have.length(1)
    expect(global.falseAlarm).to.be.within(0, 1e-3)
  })

  it('does not weigh a light node, an unknown author, or a cell that is no operator’s', () => {
    admit('light', 'alpha', 'light')
    admit('guest', 'elsewhere')
    for (const id of ['light', 'guest', 'stranger']) hear(id, pointing(1, 0))
    expect(pool.rows().map(({ peerId, weight }) => [peerId, weight])).to.deep.equal([
      ['light', 0],
      ['guest', 0],
      ['stranger', 0],
    ])
    const { t, weightReporting, falseAlarm, collapsed } = pool.global()
    expect([t, weightReporting, falseAlarm, collapsed]).to.deep.equal([[0, 0], 0, 1, false])
  })

  it('does not weigh a T_sync that is not the mean of the two it comes from', () => {
    admitAll()
    hear('b', { ...pointing(0.5, 0), sync: [Q30, 0] })
    expect([row('b').weight, pool.global().weightReporting]).to.deep.equal([0, 0])
  })

  it('weighs a member from the moment that admission proves it', () => {
    hear('b')
    expect(row('b').weight).to.equal(0)
    admitAll()
    expect([row('b').weight, row('b').cell]).to.deep.equal([3, 'beta'])
  })

  it('keeps the latest report of an author and refuses an earlier one', () => {
    expect(pool.put('b', reportBy(key, { seq: 5, nEffMilli: 1 }))).to.equal(true)
    expect(pool.put('b', reportBy(key, { seq: 4, nEffMilli: 2 }))).to.equal(false)
    expect(pool.size).to.equal(1)
    expect(pool.put('b', reportBy(key, { seq: 6, nEffMilli: 3 }))).to.equal(true)
  })

  it('takes what is said again for fresh, and keeps what was said first', () => {
    admitAll()
    pool.put('b', reportBy(key, { seq: 5, ...pointing(0.5, 0) }))
    const { t } = row('b')
    now = STALE_MS + 1
    expect(row('b').state).to.equal('stale')
    expect(pool.put('b', reportBy(key, { seq: 5, ...pointing(0.9, 90) }))).to.equal(true)
    expect([row('b').state, row('b').ageSeconds, row('b').t]).to.deep.equal(['fresh', 0, t])
  })

  it('weighs operators as the record has them at the time', () => {
    admitAll()
    hear('b')
    expect(pool.global().weightReporting).to.equal(0.25)
    operators = operators.filter(({ cell }) => cell === 'beta' || cell === 'delta')
    expect(pool.global().weightReporting).to.equal(0.5)
    expect(row('b').weight).to.equal(3)
  })

  it('tells the age of what it heard, and forgets who has been silent for ten minutes', () => {
    hear('b')
    now = 2500
    expect([pool.ageSeconds('b'), row('b').ageSeconds, pool.ageSeconds('nobody')]).to.deep.equal([2.5, 2.5, null])
    now = 600_001
    expect([pool.rows(), pool.size]).to.deep.equal([[], 0])
  })

  it('holds a bounded number of authors; who was heard longest ago makes room', () => {
    for (let i = 0; i <= MAX_AUTHORS; i++) hear(`peer ${i}`)
    expect(pool.size).to.equal(MAX_AUTHORS)
    expect([pool.ageSeconds('peer 0'), pool.ageSeconds('peer 1')]).to.deep.equal([null, 0])
  })

  it('gives the same bits whatever the order in which reports came', () => {
    admitAll()
    const say = (id: string, i: number) => hear(id, pointing(0.3 + i / 10, 37 * i))
    everybody.forEach(say)
    const forward = pool.global()
    seq += 100
    const again = [...everybody.entries()].reverse()
    for (const [i, id] of again) say(id, i)
    expect(pool.global()).to.deep.equal(forward)
  })
})
