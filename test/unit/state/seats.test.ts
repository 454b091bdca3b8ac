import { expect } from 'chai'
import { isDraining, isSpaceNews, seats, spaceOf } from '../../../consensus/state/index.ts'
import { peer } from './cell.ts'
import { cellOf, drain, join, refused, space } from './pins.ts'

describe('seats of a cell', () => {
  it('are kept across incarnations and removal, and given to nobody else', () => {
    const replica = cellOf('ABC')
    const seatOf = (name: string) => seats(replica.tree).find(({ peerId }) => peerId === peer(name))?.seat
    replica.run(join('B', 2))
    expect(seatOf('B')).to.equal(1)
    replica.run({ type: 'member-remove', peerId: peer('B'), reason: '' })
    expect(seatOf('B')).to.equal(undefined)
    replica.run(join('D'))
    expect(seatOf('D')).to.equal(3)
    replica.run(join('B', 3))
    expect(seatOf('B')).to.equal(1)
  })

  it('are drained until told otherwise, also when the log is lost, but not after a removal', () => {
    const replica = cellOf('AB')
    expect(replica.run(drain('Z'))).to.deep.equal(refused('E_MEMBER_UNKNOWN'))
    replica.run(drain('B'))
    replica.run(join('B', 2))
    expect(isDraining(replica.tree, peer('B'))).to.equal(true)
    replica.run(drain('B', false))
    expect(isDraining(replica.tree, peer('B'))).to.equal(false)
    replica.run(drain('B'))
    replica.run({ type: 'member-remove', peerId: peer('B'), reason: '' })
    expect(replica.run(drain('B', false))).to.deep.equal(refused('E_MEMBER_UNKNOWN'))
    replica.run(join('B', 3))
    expect(isDraining(replica.tree, peer('B'))).to.equal(false)
  })

  it('tell their free space with the time of the report', () => {
    const replica = cellOf('A')
    expect(spaceOf(replica.tree, peer('A'))).to.equal(undefined)
    expect(replica.run(space('A', 5, 10), 3000)).to.deep.equal({ ok: true })
    expect(spaceOf(replica.tree, peer('A'))).to.deep.equal({ freeBytes: 5, totalBytes: 10, time: 3000 })
    expect(replica.run(space('B', 5))).to.deep.equal(refused('E_MEMBER_UNKNOWN'))
  })

  it('have it agreed on again after a tenth, and when it comes to an end', () => {
    const of = (freeBytes: number, totalBytes = 100) => ({ freeBytes, totalBytes })
    expect(isSpaceNews(undefined, of(1))).to.equal(true)
    expect(isSpaceNews(of(50), of(59))).to.equal(false)
    expect(isSpaceNews(of(50), of(60))).to.equal(true)
    expect(isSpaceNews(of(50), of(40))).to.equal(true)
    expect(isSpaceNews(of(5), of(0))).to.equal(true)
    expect(isSpaceNews(of(50), of(50, 101))).to.equal(true)
    expect(isSpaceNews(of(0, 0), of(0, 0))).to.equal(false)
  })
})
