import { expect } from 'chai'
import { EVERYWHERE, pinOf, pinsHeldBy, seats } from '../../../consensus/state/index.ts'
import { peer, type Replica } from './cell.ts'
import { cellOf, cidOf, counted, drain, holders, label, pin, refused, space } from './pins.ts'

describe('copies of a pin', () => {
  it('go to those that are named first, then to those that have it', () => {
    const replica = cellOf('ABCDE')
    pin(replica, 1, { allocations: [peer('E'), peer('Z'), peer('B')], min: 1, max: 2 })
    expect(holders(replica, 1)).to.equal('BE')
    pin(replica, 1, { allocations: [peer('A')] })
    expect(holders(replica, 1)).to.match(/^A[BE]$/)
  })

  it('lie in different failure domains, before what was preferred', () => {
    const replica = cellOf('ABCD', { A: 'disk1', B: 'disk1', C: 'disk1' })
    for (let at = 0; at < 20; at++) {
      pin(replica, at, { min: 2, max: 2, allocations: [peer('A'), peer('B')] })
      expect(holders(replica, at)).to.equal('AD')
    }
    pin(replica, 30)
    expect(holders(replica, 30)).to.match(/D$/).and.have.length(3)
  })

  it('count once towards min in one failure domain, also by default', () => {
    const replica = cellOf('AB', { A: 'disk1', B: 'disk1' })
    expect(pin(replica, 1, { min: 2, max: 2 })).to.deep.equal(refused('E_PIN_SHORT', { at: 0, wants: 2, has: 1 }))
    expect(pin(replica, 1)).to.deep.equal({ ok: true })
    expect(pinOf(replica.tree, cidOf(1))).to.deep.include({ min: 1, max: 2 })
  })

  it('lie in different regions, then where most is free, then where the fewest are, and go round', () => {
    const replica = cellOf('ABCD')
    for (const [name, region] of Object.entries({ A: 'eu', B: 'eu', C: 'us', D: 'us' }))
      replica.run(label(name, 'region', region))
    for (let at = 0; at < 20; at++) {
      pin(replica, at, { min: 1, max: 2 })
      expect(holders(replica, at)).to.match(/^[AB][CD]$/)
    }
    const held = seats(replica.tree).map(({ pins }) => pins)
    expect(held).to.deep.equal([10, 10, 10, 10])
    replica.run(space('B', 2 ** 40))
    pin(replica, 30, { min: 1, max: 1 })
    expect(holders(replica, 30)).to.equal('B')
  })

  it('spread evenly over members that are alike', () => {
    const replica = cellOf('ABCDE')
    for (let at = 0; at < 100; at++) pin(replica, at)
    for (const { pins } of seats(replica.tree)) expect(pins).to.be.within(59, 61)
  })

  it('are everywhere with −1', () => {
    const replica = cellOf('ABCDE')
    pin(replica, 1, { min: EVERYWHERE, max: EVERYWHERE })
    expect(holders(replica, 1)).to.equal('ABCDE')
    expect(pinOf(replica.tree, cidOf(1))).to.deep.include({ min: EVERYWHERE, max: EVERYWHERE })
  })

  it('are given to no member that is drained, and none that is removed', () => {
    const replica = cellOf('ABCD')
    replica.configure({ voters: [1, 2] })
    replica.run({ type: 'member-promoted', raftId: 2 })
    replica.run(drain('D'))
    replica.run({ type: 'member-remove', peerId: peer('C'), reason: '' })
    pin(replica, 1, { max: EVERYWHERE, allocations: [peer('C'), peer('D')] })
    expect(holders(replica, 1)).to.equal('AB')
    expect(pin(replica, 2, { min: 3 })).to.deep.equal(refused('E_PIN_SHORT', { at: 0, wants: 3, has: 2 }))
    replica.run(drain('D', false))
    expect(pin(replica, 2, { min: 3 })).to.deep.equal({ ok: true })
  })

  it('stay named when their member is drained or removed, until they are moved', () => {
    const replica = cellOf('ABCD')
    pin(replica, 1, { min: 2, max: 2, allocations: [peer('C'), peer('D')] })
    replica.run({ type: 'member-remove', peerId: peer('C'), reason: '' })
    replica.run(drain('D'))
    expect(holders(replica, 1)).to.equal('CD')
    expect(pinsHeldBy(replica.tree, peer('C'))).to.equal(1)
    pin(replica, 1, { name: 'touched' })
    expect(holders(replica, 1)).to.equal('ABD')
    expect(counted(replica.tree).told).to.deep.equal(counted(replica.tree).found)
  })
})

describe('a move of a pin', () => {
  const moved = (replica: Replica, add: string, drop: string, revision?: number) =>
    replica.run({
      type: 'pin-move',
      cid: cidOf(1),
      revision: revision ?? pinOf(replica.tree, cidOf(1))?.revision ?? 0,
      add: [...add].map(peer),
      drop: [...drop].map(peer),
    })
  const pinned = () => {
    const replica = cellOf('ABCD')
    pin(replica, 1, { min: 1, max: 2, allocations: [peer('A'), peer('B')] })
    return replica
  }

  it('is carried out for the revision that it was planned for, and for no other', () => {
    const replica = pinned()
    const { revision } = pinOf(replica.tree, cidOf(1))!
    expect(moved(replica, 'C', 'A')).to.deep.equal({ ok: true })
    expect(holders(replica, 1)).to.equal('BC')
    expect(moved(replica, 'D', 'B', revision)).to.deep.equal(refused('E_PIN_CHANGED'))
    expect(moved(cellOf('A'), 'A', '')).to.deep.equal(refused('E_PIN_UNKNOWN'))
    expect(counted(replica.tree).told).to.deep.equal(counted(replica.tree).found)
  })

  it('gives copies to standing members only, and to none that is drained', () => {
    const replica = pinned()
    replica.run({ type: 'member-remove', peerId: peer('C'), reason: '' })
    replica.run(drain('D'))
    expect(moved(replica, 'Z', '')).to.deep.equal(refused('E_MEMBER_UNKNOWN'))
    expect(moved(replica, 'C', '')).to.deep.equal(refused('E_MEMBER_UNKNOWN'))
    expect(moved(replica, 'D', '')).to.deep.equal(refused('E_MEMBER_DRAINING'))
    expect(holders(replica, 1)).to.equal('AB')
  })

  it('leads never over max nor to no copy; a copy that is leaving does not count', () => {
    const replica = pinned()
    expect(moved(replica, 'C', '')).to.deep.equal(refused('E_PIN_MAX'))
    expect(moved(replica, '', 'AB')).to.deep.equal(refused('E_PIN_LAST'))
    replica.run(drain('A'))
    expect(moved(replica, 'C', '')).to.deep.equal({ ok: true })
    expect(holders(replica, 1)).to.equal('ABC')
    replica.run(drain('A', false))
    expect(moved(replica, '', 'B')).to.deep.equal({ ok: true })
  })

  it('takes the copies of members that were removed along', () => {
    const replica = pinned()
    replica.configure({ voters: [1, 2] })
    replica.run({ type: 'member-promoted', raftId: 2 })
    replica.run({ type: 'member-remove', peerId: peer('A'), reason: '' })
    expect(moved(replica, 'C', '')).to.deep.equal({ ok: true })
    expect(holders(replica, 1)).to.equal('BC')
  })
})
