import { expect } from 'chai'
import * as fc from 'fast-check'
import { EVERYWHERE, pins, seats, type AgreedPin } from '../../../consensus/state/index.ts'
import { domainsOf } from '../../../consensus/state/allocation.ts'
import { peer } from '../../unit/state/cell.ts'
import { nameOf, PinWorld } from '../../unit/state/pin-world.ts'
import { drain, join, label } from '../../unit/state/pins.ts'

const NAMES = 'ABCDEF'
const GRACE_MS = 1000
const name = fc.constantFrom(...NAMES)
const replication = fc.constantFrom(
  {},
  { min: 1, max: 1 },
  { min: 2, max: 2 },
  { min: 2, max: 4 },
  { min: 3 },
  { min: 1, max: EVERYWHERE },
)
const domains = fc.dictionary(name, fc.constantFrom('x', 'y', 'z'), { maxKeys: 2 })

const event = fc.oneof(
  fc.record({ kind: fc.constantFrom('down' as const, 'up' as const, 'drain' as const, 'undrain' as const), name }),
  fc.record({ kind: fc.constantFrom('join' as const, 'remove' as const, 'bad' as const), name }),
  fc.record({ kind: fc.constant('label' as const), name }),
)

function happen(world: PinWorld, { kind, name }: { kind: string; name: string }): void {
  const isOnlyUp = seats(world.tree).filter(({ peerId }) => !world.down.has(nameOf(peerId))).length < 3
  if (kind === 'down' && !isOnlyUp) world.down.set(name, world.now)
  if (kind === 'up') world.down.delete(name)
  if (kind === 'drain' || kind === 'undrain') world.replica.run(drain(name, kind === 'drain'))
  if (kind === 'join') world.replica.run(join(name))
  if (kind === 'remove') world.replica.run({ type: 'member-remove', peerId: peer(name), reason: '' })
  if (kind === 'label') world.replica.run(label(name, 'domain', 'x'))
  if (kind === 'bad') for (const pin of pins(world.tree).take(3)) world.bad.set(pin.cid, new Set(name))
}

/** Max holds always; min where there are as many failure domains and whoever has the content is up. */
function checkSettled(world: PinWorld): void {
  const up = seats(world.tree).filter(({ draining, peerId }) => !draining && !world.down.has(nameOf(peerId)))
  for (const pin of pins(world.tree)) {
    const staying = world.staying(pin)
    if (pin.max !== EVERYWHERE) expect(staying.length).to.be.at.most(pin.max)
    const usable = up.filter(({ peerId }) => !world.bad.get(pin.cid)?.has(nameOf(peerId)))
    const isThere = world.pinnedCopies(pin.cid).length > 0
    if (isThere && domainsOf(usable) >= pin.min && pin.min !== EVERYWHERE)
      expect(world.safe(pin)).to.be.at.least(pin.min)
  }
}

/** Holders that are up and have it whole. */
function seenOf(world: PinWorld, { cid, allocations }: AgreedPin): number {
  return world.pinnedCopies(cid).filter((peerId) => allocations.includes(peerId)).length
}

describe('repair', function () {
  this.timeout(240_000)

  it('moves nothing while members flap within the grace period', () => {
    const flaps = fc.array(fc.record({ name, forMs: fc.integer({ min: 1, max: GRACE_MS - 1 }) }), {
      minLength: 100,
      maxLength: 100,
    })
    fc.assert(
      fc.property(flaps, replication, domains, (flaps, replication, domains) => {
        const world = new PinWorld(NAMES, domains, GRACE_MS).pinAll(20, replication)
        for (const { name, forMs } of flaps) {
          if (world.down.has(name)) world.down.delete(name)
          else world.down.set(name, world.now)
          for (const [other, since] of world.down) if (world.now + forMs - since >= GRACE_MS) world.down.delete(other)
          world.now += forMs
          expect(world.plan().moves).to.deep.equal([])
        }
      }),
      { numRuns: 50 },
    )
  })

  it('comes to an end with what each pin must have, whatever has happened, and is refused no move', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), replication, domains, (events, replication, domains) => {
        const world = new PinWorld(NAMES, domains).pinAll(12, replication)
        for (const each of events) {
          happen(world, each)
          world.now += 1
          expect(world.settle()).to.be.lessThan(60)
          checkSettled(world)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('of many pins at once never gives up the last copy that is seen whole', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), replication, (events, replication) => {
        const world = new PinWorld(NAMES).pinAll(12, replication)
        for (const each of events.filter(({ kind }) => kind !== 'bad' && kind !== 'remove')) {
          happen(world, each)
          world.now += 1
          // Nobody has fetched yet what was given to it a moment ago.
          const seen = new Map([...pins(world.tree)].map((pin) => [pin.cid, seenOf(world, pin)]))
          world.carryOut(world.plan())
          for (const pin of pins(world.tree))
            expect(seenOf(world, pin) > 0 || seen.get(pin.cid) === 0, pin.cid).to.equal(true)
          if (world.now % 3 === 0) world.fetch()
        }
      }),
      { numRuns: 150 },
    )
  })
})
