import { expect } from 'chai'
import { EVERYWHERE, pins, seats } from '../../../consensus/state/index.ts'
import { peer } from './cell.ts'
import { namesOf, PinWorld } from './pin-world.ts'
import { cidOf, drain, join, label } from './pins.ts'

const on = (names: string, min: number, max: number) => ({ min, max, allocations: [...names].map(peer) })
const leave = (name: string) => ({ type: 'member-remove', peerId: peer(name), reason: '' }) as const
const planned = (world: PinWorld) =>
  world.plan().moves.map(({ add, drop, reason }) => [namesOf(add), namesOf(drop), reason])

describe('repair of a lost copy', () => {
  it('waits while min are left, and then fills up to max in place of it', () => {
    const world = new PinWorld('ABCDE').pinAll(1, on('ABC', 2, 3))
    world.down.set('A', 0)
    expect(planned(world)).to.deep.equal([])
    world.down.set('B', 0)
    const [move] = planned(world)
    expect(move).to.deep.equal(['DE', 'AB', 'lost'])
    expect(world.settle()).to.equal(1)
    expect(world.holders(0)).to.equal('CDE')
  })

  it('keeps it as far as max leaves room, for when it comes back', () => {
    const world = new PinWorld('ABCD').pinAll(1, on('ABC', 2, 3))
    world.down.set('A', 0).set('B', 1)
    world.now = 1
    expect(planned(world)).to.deep.equal([['D', 'A', 'lost']])
  })

  it('takes the place of who is down also when nobody else has the content: it may never have had it', () => {
    const world = new PinWorld('ABCD').pinAll(1, on('AB', 2, 2))
    world.whole.set(cidOf(0), new Set())
    world.down.set('A', 0).set('B', 0)
    expect(planned(world)).to.deep.equal([['CD', 'AB', 'lost']])
    world.carryOut(world.plan())
    expect(planned(world)).to.deep.equal([])
  })

  it('drops nothing of who is down where nobody can take its place', () => {
    const world = new PinWorld('ABC').pinAll(1, on('AB', 2, 2))
    world.whole.set(cidOf(0), new Set('B'))
    world.down.set('B', 0).set('C', 0)
    expect(planned(world)).to.deep.equal([])
    expect(world.plan().short).to.deep.equal([{ cid: cidOf(0), name: '', wants: 2, has: 1 }])
  })

  it('tells a pin that nobody can be given as short, and does nothing', () => {
    const world = new PinWorld('AB').pinAll(1, on('AB', 2, 2))
    world.down.set('A', 0)
    expect(world.plan()).to.deep.equal({ moves: [], short: [{ cid: cidOf(0), name: '', wants: 2, has: 1 }] })
  })

  it('goes to another failure domain first', () => {
    const world = new PinWorld('ABCD', { B: 'disk', C: 'disk' }).pinAll(1, on('AB', 2, 2))
    world.down.set('A', 0)
    expect(planned(world)).to.deep.equal([['D', 'A', 'lost']])
  })

  it('is at once when its member was removed', () => {
    const world = new PinWorld('ABCD').pinAll(1, on('BC', 1, 2))
    world.replica.run(leave('C'))
    const [move] = planned(world)
    expect(move).to.deep.include('lost').and.include('C')
    world.settle()
    expect(world.holders(0)).to.have.length(2).and.not.include('C')
  })

  it('treats a copy without proof as lost, and gives the pin to another', () => {
    const world = new PinWorld('ABC').pinAll(1, on('AB', 2, 2))
    world.bad.set(cidOf(0), new Set('B'))
    expect(planned(world)).to.deep.equal([['C', 'B', 'proof_failed']])
    expect(world.settle()).to.equal(1)
    expect(world.holders(0)).to.equal('AC')
  })
})

describe('repair of a pin', () => {
  it('whose member is drained drops that copy only when min others are seen pinned', () => {
    const world = new PinWorld('ABC').pinAll(1, on('A', 1, 1))
    world.replica.run(drain('A'))
    const [move] = planned(world)
    expect(move?.slice(1)).to.deep.equal(['', 'draining'])
    world.carryOut(world.plan())
    expect(world.holders(0)).to.match(/^A[BC]$/)
    expect(planned(world)).to.deep.equal([])
    world.fetch()
    expect(planned(world)).to.deep.equal([['', 'A', 'draining']])
    expect(world.settle()).to.equal(1)
    expect(world.holders(0)).to.match(/^[BC]$/)
  })

  it('of which min stay pinned moves off a drained member in one step', () => {
    const world = new PinWorld('ABCD').pinAll(1, on('ABC', 2, 3))
    world.replica.run(drain('A'))
    expect(planned(world)).to.deep.equal([['D', 'A', 'draining']])
  })

  it('that cannot keep min without the drained member leaves its copy there', () => {
    const world = new PinWorld('AB').pinAll(1, on('AB', 2, 2))
    world.replica.run(drain('A'))
    expect(world.plan()).to.deep.equal({ moves: [], short: [{ cid: cidOf(0), name: '', wants: 2, has: 1 }] })
  })

  it('whose copies turn out to lie in one failure domain exchanges one of them', () => {
    const world = new PinWorld('ABC').pinAll(1, on('AB', 2, 2))
    for (const name of 'AB') world.replica.run(label(name, 'domain', 'one disk'))
    const [move] = planned(world)
    expect(move).to.satisfy(([add, drop, reason]: string[]) => /^C[AB]below_min$/.test(`${add}${drop}${reason}`))
    expect(world.settle()).to.equal(1)
  })

  it('made in a smaller cell gets its copies as the cell grows', () => {
    const world = new PinWorld('A').pinAll(1)
    world.replica.run(join('B'))
    expect(planned(world)).to.deep.equal([['B', '', 'below_min']])
    expect(world.settle()).to.equal(1)
  })

  it('over max, since a member is no longer drained, drops the copies that are least worth', () => {
    const world = new PinWorld('ABCD').pinAll(1, on('ABC', 1, 3))
    world.replica.run(drain('A'))
    world.whole.set(cidOf(0), new Set('A'))
    world.carryOut(world.plan())
    expect(world.holders(0)).to.equal('ABCD')
    world.replica.run(drain('A', false))
    const [move] = planned(world)
    expect(move).to.satisfy(
      ([add, drop, reason]: string[]) => add === '' && /^[BCD]$/.test(drop!) && reason === 'above_max',
    )
    expect(world.settle()).to.equal(1)
  })

  it('that is everywhere goes to who joins, and stays with who is down', () => {
    const world = new PinWorld('AB').pinAll(1, { min: 1, max: EVERYWHERE })
    world.replica.run(join('C'))
    world.down.set('B', 0)
    expect(planned(world)).to.deep.equal([['C', '', 'everywhere']])
    expect(world.settle()).to.equal(1)
    expect(world.holders(0)).to.equal('ABC')
  })
})

describe('rebalancing', () => {
  const grown = (options: Parameters<PinWorld['pinAll']>[1]) => {
    const world = new PinWorld('ABC').pinAll(120, options)
    world.replica.run(join('D'))
    return world
  }
  const held = (world: PinWorld) => seats(world.tree).map(({ pins }) => pins)

  it('gives an empty member its share, and comes to an end', () => {
    const world = grown({})
    expect(world.settle()).to.be.lessThan(60)
    const counts = held(world)
    expect(Math.max(...counts) - Math.min(...counts)).to.be.within(16, 16 + 90 / 4)
    expect(world.plan().moves).to.deep.equal([])
  })

  it('is left out when it is not asked for', () => {
    expect(grown({}).plan({ rebalance: false }).moves).to.deep.equal([])
  })

  it('moves no pin that would be left with one copy that is seen', () => {
    for (const options of [on('A', 1, 1), on('AB', 2, 2)]) expect(grown(options).plan().moves).to.deep.equal([])
    const world = grown({})
    for (const { cid } of pins(world.tree)) world.whole.set(cid, new Set('AB'))
    expect(world.plan().moves).to.deep.equal([])
  })

  it('gives up no failure domain', () => {
    const world = grown({})
    for (const name of 'AD')
      world.replica.run({ type: 'label-set', peerId: peer(name), key: 'domain', value: 'one disk' })
    const moves = new Set(planned(world).map(String))
    expect([...moves]).to.deep.equal(['D,A,rebalance'])
  })
})
