import { expect } from 'chai'
import * as fc from 'fast-check'
import { EVERYWHERE, pinOf, pins, root, seats, type PinSpec } from '../../../consensus/state/index.ts'
import { domainsOf } from '../../../consensus/state/allocation.ts'
import { bytes, commandOf, peer, Replica, type Body } from '../../unit/state/cell.ts'
import { cellOf, cidOf, counted } from '../../unit/state/pins.ts'

const NAMES = 'ABCDEFG'
const peerId = fc.constantFrom(...NAMES).map(peer)
const cid = fc.nat(12).map(cidOf)
const copies = fc.constantFrom(EVERYWHERE, 1, 2, 3, 4)
const spec = fc
  .record(
    {
      cid,
      owner: peerId,
      name: fc.constantFrom('a', 'b'),
      min: copies,
      max: copies,
      allocations: fc.array(peerId, { maxLength: 3 }),
      expires: fc.option(fc.nat(9000)),
      priority: fc.nat(9),
      created: fc.nat(9000),
    },
    { requiredKeys: ['cid', 'owner'] },
  )
  .filter(({ min, max }) => min === undefined || max === undefined || max === EVERYWHERE || (min > 0 && min <= max))

const setPins = fc.record({
  type: fc.constant('pin-set' as const),
  pins: fc.array(spec, { minLength: 1, maxLength: 6 }),
})
const few = fc.array(peerId, { maxLength: 3 })
/** A move is given the revision of the pin as it is; some are of another. */
const move = fc.record({
  type: fc.constant('pin-move' as const),
  cid,
  revision: fc.constantFrom(-1, 3),
  add: few,
  drop: few,
})
const body: fc.Arbitrary<Body> = fc.oneof(
  { weight: 6, arbitrary: setPins },
  { weight: 3, arbitrary: move },
  fc.record({ type: fc.constant('pin-unset' as const), cid }),
  fc.record({ type: fc.constant('pin-replace' as const), from: cid, to: cid, keep: fc.boolean(), owner: peerId }),
  fc.record({ type: fc.constant('pins-expire' as const), cids: fc.array(cid, { minLength: 1, maxLength: 9 }) }),
  fc.record({
    type: fc.constant('space-set' as const),
    peerId,
    freeBytes: fc.nat(1_000_000),
    totalBytes: fc.constant(1_000_000),
  }),
  { weight: 2, arbitrary: fc.record({ type: fc.constant('member-drain' as const), peerId, on: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('member-join' as const),
      peerId,
      incarnation: fc.nat(3).map((at) => bytes(at)),
    }),
  },
  fc.record({ type: fc.constant('member-remove' as const), peerId, reason: fc.constant('') }),
  fc.record({
    type: fc.constant('label-set' as const),
    peerId,
    key: fc.constantFrom('domain', 'region'),
    value: fc.constantFrom('x', 'y', null),
  }),
)
const history = fc.array(fc.record({ body, time: fc.nat(9000) }), { minLength: 60, maxLength: 60 })

const prepared = (replica: Replica, body: Body): Body =>
  body.type === 'pin-move' && body.revision === -1
    ? { ...body, revision: pinOf(replica.tree, body.cid)?.revision ?? 0 }
    : body
const contentOf = ({ tree }: Replica) => [...pins(tree)]

/** Of the copies that count, against what the pin is to have. */
function checkCopies(replica: Replica, cid: string, isSet: boolean): void {
  const pin = pinOf(replica.tree, cid)!
  const able = seats(replica.tree).filter(({ draining }) => !draining)
  const held = able.filter(({ peerId }) => pin.allocations.includes(peerId))
  if (pin.max !== EVERYWHERE) expect(held.length).to.be.at.most(pin.max)
  if (!isSet) return
  expect(domainsOf(held)).to.be.at.least(pin.min === EVERYWHERE ? domainsOf(able) : pin.min)
  if (pin.max === EVERYWHERE) expect(held).to.deep.equal(able)
}

describe('pins under random commands', function () {
  this.timeout(240_000)

  it('have never more copies than max nor fewer than min when they are accepted, and nothing changes when not', () => {
    fc.assert(
      fc.property(history, (history) => {
        const replica = cellOf('ABC')
        for (const { body, time } of history) {
          const before = contentOf(replica)
          const command = prepared(replica, body)
          const result = replica.run(command, time)
          expect(counted(replica.tree).told).to.deep.equal(counted(replica.tree).found)
          if (command.type === 'pin-set' && result?.ok)
            for (const { cid } of command.pins) checkCopies(replica, cid, true)
          if (command.type === 'pin-replace' && result?.ok)
            checkCopies(replica, command.to, command.from !== command.to)
          if (command.type === 'pin-move' && result?.ok && command.add.length > 0)
            checkCopies(replica, command.cid, false)
          if (command.type.startsWith('pin') && result?.ok === false) expect(contentOf(replica)).to.deep.equal(before)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('name the pin that was refused, and the shortfall with it', () => {
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 32 }), (specs) => {
        const replica = cellOf('ABC')
        const isShort = ({ min = 1 }: Partial<PinSpec>) => min > 3
        const all = specs.map((spec, at) => ({ ...spec, cid: cidOf(at) }))
        const at = all.findIndex(isShort)
        const expected = at < 0 ? { ok: true } : { ok: false, code: 'E_PIN_SHORT', wants: all[at]!.min, has: 3, at }
        expect(replica.run({ type: 'pin-set', pins: all })).to.deep.equal(expected)
        expect(contentOf(replica)).to.have.length(at < 0 ? all.length : 0)
      }),
    )
  })

  it('give one root in whatever order a batch names them, where all says who is to hold them', () => {
    const named = fc.shuffledSubarray([...NAMES], { minLength: 2, maxLength: 2 })
    const all = fc.uniqueArray(fc.record({ number: fc.nat(99), named, everywhere: fc.boolean() }), {
      selector: ({ number }) => number,
      minLength: 2,
      maxLength: 32,
    })
    const shuffled = all.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })))
    fc.assert(
      fc.property(shuffled, (orders) => {
        const [one, other] = orders.map((all) => {
          const replica = cellOf(NAMES)
          const pins = all.map(({ number, named, everywhere }) => ({
            cid: cidOf(number),
            owner: peer('A'),
            ...(everywhere ? { min: 1, max: EVERYWHERE } : { min: 2, max: 2, allocations: named.map(peer) }),
          }))
          expect(replica.run({ type: 'pin-set', pins })).to.deep.equal({ ok: true })
          return root(replica.tree).toString()
        })
        expect(one).to.equal(other)
      }),
    )
  })

  it('are the same on two replicas, whatever each of them was asked in between', () => {
    fc.assert(
      fc.property(history, (history) => {
        const [one, other] = [cellOf('ABC'), cellOf('ABC')]
        for (const [at, { body, time }] of history.entries()) {
          const head = { time, session: { client: 'both', opened: 0, sequence: at + 1 } }
          const command = commandOf(prepared(one, body), head)
          seats(other.tree)
          expect(one.command(command, head).result).to.deep.equal(other.command(command, head).result)
        }
        expect(root(one.tree).equals(root(other.tree))).to.equal(true)
      }),
      { numRuns: 50 },
    )
  })
})
