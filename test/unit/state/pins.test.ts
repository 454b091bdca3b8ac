import { expect } from 'chai'
import { base32 } from 'multiformats/bases/base32'
import { EVERYWHERE, isPinCid, MAX_PINS_AT_ONCE, pinCount, pinOf, pins } from '../../../consensus/state/index.ts'
import { pinRecord } from '../../../consensus/state/pin-records.ts'
import { KEY } from '../../../consensus/state/records.ts'
import { get } from '../../../consensus/state/tree.ts'
import { peer } from './cell.ts'
import { cellOf, cidOf, counted, holders, join, pin, refused } from './pins.ts'

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
