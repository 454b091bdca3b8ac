import { expect } from 'chai'
import { base32 } from 'multiformats/bases/base32'
import {
  EVERYWHERE,
  isDraining,
  isPinCid,
  isSpaceNews,
  MAX_PINS_AT_ONCE,
  pinCount,
  pinOf,
  pins,
  pinsHeldBy,
  seats,
  spaceOf,
} from '../../../consensus/state/index.ts'
import { pinRecord } from '../../../consensus/state/pin-records.ts'
import { KEY } from '../../../consensus/state/records.ts'
import { get } from '../../../consensus/state/tree.ts'
import { peer, Replica } from './cell.ts'
import { cellOf, cidOf, counted, drain, join, label, pin, space } from './pins.ts'

const holders = ({ tree }: Replica, number: number) =>
  pinOf(tree, cidOf(number))
    ?.allocations.map((peerId) => peerId['12D3KooW'.length])
    .join('')
const refused = (code: string, more: object = {}) => ({ ok: false, code, ...more })

describe('a CID of a pin', () => {
  it('has one spelling: version 0 in base58, version 1 in base32', () => {
    for (const cid of [
      cidOf(1),
      'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
      'bafyreifvzm553qwltzsq2jfupmumuy7qj4mv3zv6oxc3t5o54lg5sovn5a',
      'bafkqaaa',
    ])
      expect(isPinCid(cid), cid).to.equal(true)
  })

  it('is none in another base, cut, longer than its hash, in capitals, or with numbers that are not at their shortest', () => {
    const cid = cidOf(1)
    for (const bad of [
      '',
      'b',
      cid.slice(0, -1),
      `${cid}aa`,
      cid.toUpperCase(),
      `z${cid.slice(1)}`,
      ...[
        [1, 0xd5, 0, 0, 0],
        [1, 0x55, 0, 1],
        [1, 0x55, 0, 0, 9],
        [1, 0x55, 0],
        [2, 0x55, 0, 0],
        [1, ...Array<number>(10).fill(0x80), 1, 0, 0],
      ].map((bytes) => base32.encode(Uint8Array.from(bytes))),
      'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbd',
      'Qm11111111111111111111111111111111111111111111',
      'b'.padEnd(300, 'a'),
    ])
      expect(isPinCid(bad), bad).to.equal(false)
  })
})

describe('pins of a cell', () => {
  it('have the defaults of the cell: copies on 2 to 3 members, or as many as there are, also later', () => {
    const replica = cellOf('A')
    expect(pin(replica, 1)).to.deep.equal({ ok: true })
    expect(pinOf(replica.tree, cidOf(1))).to.deep.equal({
      cid: cidOf(1),
      revision: 2,
      name: '',
      mode: 'recursive',
      min: 1,
      max: 1,
      asked: { min: undefined, max: undefined },
      allocations: [peer('A')],
      expires: undefined,
      metadata: {},
      origins: [],
      owner: peer('A'),
      priority: 0,
      created: 1000,
    })
    for (const name of 'BCDE') replica.run(join(name))
    expect(pinOf(replica.tree, cidOf(1))).to.deep.include({ min: 2, max: 3 })
    pin(replica, 2)
    expect(holders(replica, 2)).to.have.length(3)
  })

  it('take one key each and little room', () => {
    const replica = cellOf('ABC')
    pin(replica, 1, { name: 'a name' })
    expect(get(replica.tree, KEY.pin(cidOf(1)))!.byteLength).to.be.lessThan(40)
    const keys = [...pins(replica.tree)].map(({ cid }) => cid)
    expect(keys).to.deep.equal([cidOf(1)])
  })

  it('of the greatest size that a command may ask for still fit', () => {
    const replica = cellOf('ABC')
    const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`${at}`.padStart(2), '春'.repeat(20)]))
    const origins = Array.from({ length: 8 }, () => `/${'x'.repeat(191)}`)
    const options = { name: '春'.repeat(255), metadata, origins, min: 1, max: EVERYWHERE, expires: 9, priority: 9 }
    expect(pin(replica, 1, options)).to.deep.equal({ ok: true })
    expect(pinOf(replica.tree, cidOf(1))).to.deep.include(options)
  })

  it('are one command of bytes that are refused when any of them is out of its bounds', () => {
    const replica = cellOf('ABC')
    for (const options of [
      { cid: 'no cid' },
      { name: 'x'.repeat(256) },
      { min: 0 },
      { min: 3, max: 2 },
      { min: EVERYWHERE, max: 2 },
      { max: 65 },
      { priority: 10 },
      { origins: ['relative'] },
      { origins: Array.from({ length: 8 }, () => `/${'x'.repeat(250)}`) },
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`${at}`, ''])) },
      { metadata: { k: 'x'.repeat(1024) } },
      { owner: 'nobody' },
    ])
      expect(pin(replica, 1, options), JSON.stringify(options)).to.deep.equal(refused('E_COMMAND_MALFORMED'))
    const many = Array.from({ length: MAX_PINS_AT_ONCE + 1 }, (_, at) => ({ cid: cidOf(at), owner: peer('A') }))
    expect(replica.run({ type: 'pin-set', pins: many })).to.deep.equal(refused('E_COMMAND_MALFORMED'))
    expect(replica.run({ type: 'pin-set', pins: many.slice(1) })).to.deep.equal({ ok: true })
  })

  it('that are there are changed: what is not named stays, with who has it, when it was made, and its owner', () => {
    const replica = cellOf('ABCDE')
    pin(replica, 1, { name: 'a', metadata: { k: 'v' }, expires: 9000, min: 1, max: 2 })
    const before = pinOf(replica.tree, cidOf(1))!
    pin(replica, 1, { name: 'b', owner: peer('B'), created: 1 }, 5000)
    expect(pinOf(replica.tree, cidOf(1))).to.deep.equal({ ...before, name: 'b', revision: before.revision + 1 })
    pin(replica, 1, { max: 4, expires: null })
    const after = pinOf(replica.tree, cidOf(1))!
    expect(after).to.deep.include({ min: 1, max: 4, expires: undefined })
    expect(after.allocations)
      .to.include.members([...before.allocations])
      .and.have.length(4)
  })

  it('that are asked for as they are keep their revision', () => {
    const replica = cellOf('ABC')
    pin(replica, 1, { name: 'a' })
    const before = pinOf(replica.tree, cidOf(1))
    expect(pin(replica, 1, { name: 'a' })).to.deep.equal({ ok: true })
    expect(pinOf(replica.tree, cidOf(1))).to.deep.equal(before)
  })

  it('take a bound that contradicts an earlier one in place of it', () => {
    const replica = cellOf('ABCDE')
    pin(replica, 1, { min: 3, max: 4 })
    pin(replica, 1, { max: 2 })
    expect(pinOf(replica.tree, cidOf(1))).to.deep.include({ min: 2, max: 2, asked: { min: undefined, max: 2 } })
    pin(replica, 1, { min: 5 })
    expect(pinOf(replica.tree, cidOf(1))).to.deep.include({ min: 5, max: 5, asked: { min: 5, max: undefined } })
  })

  it('of a batch are all set or none, and the first that is refused is named', () => {
    const replica = cellOf('AB')
    const before = [...pins(replica.tree)]
    const specs = [{ cid: cidOf(1) }, { cid: cidOf(2), min: 3, max: 3 }, { cid: cidOf(3), min: 4 }]
    expect(replica.run({ type: 'pin-set', pins: specs.map((spec) => ({ ...spec, owner: peer('A') })) })).to.deep.equal(
      refused('E_PIN_SHORT', { at: 1, wants: 3, has: 2 }),
    )
    expect([...pins(replica.tree)]).to.deep.equal(before)
    expect(counted(replica.tree)).to.deep.equal({ told: {}, found: {} })
  })

  it('are brought over with the time when they were made, which is never later than now', () => {
    const replica = cellOf('A')
    pin(replica, 1, { created: 5 })
    pin(replica, 2, { created: 5000 })
    expect([...pins(replica.tree)].map(({ created }) => created).sort((a, b) => a - b)).to.deep.equal([5, 1000])
  })

  it('name an owner that is no member too', () => {
    const replica = cellOf('A')
    pin(replica, 1, { owner: peer('Z') })
    expect(pinOf(replica.tree, cidOf(1))?.owner).to.equal(peer('Z'))
  })

  it('are read page by page, in the order of their CIDs', () => {
    const replica = cellOf('A')
    for (let at = 0; at < 20; at++) pin(replica, at)
    const all = [...pins(replica.tree)].map(({ cid }) => cid)
    expect(all).to.deep.equal(all.toSorted())
    expect([...pins(replica.tree, all[9])].map(({ cid }) => cid)).to.deep.equal(all.slice(10))
    expect(pinCount(replica.tree)).to.equal(20)
  })

  it('are unset once', () => {
    const replica = cellOf('ABC')
    pin(replica, 1)
    const unset = { type: 'pin-unset', cid: cidOf(1) } as const
    expect(replica.run(unset)).to.deep.equal({ ok: true })
    expect(replica.run(unset)).to.deep.equal(refused('E_PIN_UNKNOWN'))
    expect(pinOf(replica.tree, cidOf(1))).to.equal(undefined)
    expect(counted(replica.tree).told).to.deep.equal({})
  })

  it('end by the time of the state, whatever is proposed', () => {
    const replica = cellOf('ABC')
    pin(replica, 1, { expires: 5000 })
    pin(replica, 2, { expires: 5001 })
    pin(replica, 3)
    const cids = [1, 2, 3, 4].map(cidOf)
    replica.run({ type: 'pins-expire', cids }, 4999)
    expect(pinCount(replica.tree)).to.equal(3)
    replica.run({ type: 'pins-expire', cids: [...cids, cidOf(1)] }, 5000)
    expect([...pins(replica.tree)].map(({ cid }) => cid)).to.have.members([cidOf(2), cidOf(3)])
    expect(counted(replica.tree).told).to.deep.equal(counted(replica.tree).found)
  })

  it('are replaced in one step, with their options and by who has them; from stays with keep', () => {
    const replica = cellOf('ABCDE')
    pin(replica, 1, { name: 'a', min: 2, max: 2, priority: 3 })
    const held = holders(replica, 1)
    const replace = (from: number, to: number, keep: boolean) =>
      replica.run({ type: 'pin-replace', from: cidOf(from), to: cidOf(to), keep, owner: peer('B') }, 2000)
    expect(replace(1, 2, true)).to.deep.equal({ ok: true })
    expect(pinCount(replica.tree)).to.equal(2)
    expect(replace(2, 3, false)).to.deep.equal({ ok: true })
    expect(pinOf(replica.tree, cidOf(3))).to.deep.include({
      name: 'a',
      min: 2,
      max: 2,
      priority: 3,
      owner: peer('B'),
      created: 2000,
    })
    expect(holders(replica, 3)).to.equal(held)
    expect(pinOf(replica.tree, cidOf(2))).to.equal(undefined)
    expect(replace(2, 4, false)).to.deep.equal(refused('E_PIN_UNKNOWN'))
    expect(replace(1, 1, false)).to.deep.equal({ ok: true })
    expect(pinCount(replica.tree)).to.equal(2)
    expect(counted(replica.tree).told).to.deep.equal(counted(replica.tree).found)
  })
})

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
    replica.run({ type: 'member-promoted', raftId: 2 })
    replica.run({ type: 'member-remove', peerId: peer('A'), reason: '' })
    expect(moved(replica, 'C', '')).to.deep.equal({ ok: true })
    expect(holders(replica, 1)).to.equal('BC')
  })
})

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

describe('a record of a pin', () => {
  it('is read as it was written', () => {
    const pin = {
      revision: 7,
      created: 1,
      owner: peer('Z'),
      seats: [0, 300],
      name: 'é',
      mode: 'direct' as const,
      min: 1,
      max: EVERYWHERE,
      expires: 5,
      metadata: { k: 'v' },
      origins: ['/ip4/127.0.0.1/tcp/1'],
      priority: 9,
    }
    expect(pinRecord.decode(pinRecord.encode(pin))).to.deep.equal(pin)
  })
})
