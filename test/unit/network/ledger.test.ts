import { expect } from 'chai'
import { loadBans, saveBans } from '../../../node/network/ban-store.ts'
import { ScoreLedger } from '../../../node/network/ledger.ts'
import { BAN_MS, MAX_BAN_MS, MAX_LEDGER_ENTRIES, SCORE_HALF_LIFE_MS } from '../../../node/network/limits.ts'
import { MemoryStore } from '../../integration/network/mesh.ts'

describe('score ledger', () => {
  let now: number
  let ledger: ScoreLedger

  beforeEach(() => {
    now = 1_000_000
    ledger = new ScoreLedger(() => now)
  })

  it('adds up what a peer lost and gives it back by half in ten minutes', () => {
    ledger.penalise('p', 30)
    ledger.penalise('p', 10)
    expect(ledger.score('p')).to.equal(-40)
    now += SCORE_HALF_LIFE_MS
    expect(ledger.score('p')).to.equal(-20)
    expect(ledger.score('q')).to.equal(0)
  })

  it('bans for 30 minutes, doubling to 24 hours, and forgives in the end', () => {
    const lengths: number[] = []
    for (let i = 0; i < 8; i++) {
      const { until } = ledger.ban('p', '192.0.2.1')
      lengths.push(until - now)
      expect(ledger.isBanned('p')).to.equal(true)
      now = until
      expect(ledger.isBanned('p')).to.equal(false)
    }
    expect(lengths.slice(0, 3)).to.deep.equal([BAN_MS, 2 * BAN_MS, 4 * BAN_MS])
    expect(lengths.at(-1)).to.equal(MAX_BAN_MS)
    now += MAX_BAN_MS + 1
    ledger.ban('q', undefined)
    expect(ledger.ban('p', undefined).until - now).to.equal(BAN_MS)
  })

  it('counts the banned ids of one address', () => {
    ledger.ban('a', '192.0.2.1')
    ledger.ban('b', '192.0.2.1')
    ledger.ban('c', undefined)
    expect(ledger.bannedOf('192.0.2.1')).to.equal(2)
    now += BAN_MS
    expect(ledger.bannedOf('192.0.2.1')).to.equal(0)
  })

  it('keeps bans over a restart', async () => {
    const store = new MemoryStore()
    ledger.ban('p', '192.0.2.1')
    ledger.ban('q', undefined)
    await saveBans(store, ledger.bans())
    const restarted = new ScoreLedger(() => now, await loadBans(store))
    expect(restarted.isBanned('p')).to.equal(true)
    expect(restarted.bans()).to.deep.equal(ledger.bans())
    expect(await loadBans(new MemoryStore())).to.deep.equal([])
  })

  it('stays bounded', () => {
    for (let i = 0; i < MAX_LEDGER_ENTRIES + 10; i++) {
      ledger.penalise(`p${i}`, 1)
      ledger.ban(`b${i}`, undefined)
    }
    expect(ledger.bans()).to.have.length(MAX_LEDGER_ENTRIES)
    expect(ledger.score('p0')).to.equal(0)
    expect(ledger.score(`p${MAX_LEDGER_ENTRIES + 9}`)).to.equal(-1)
  })
})
