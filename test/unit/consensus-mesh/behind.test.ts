import { expect } from 'chai'
import { heights } from './heights.ts'
import { vote } from './scripted.ts'

describe('mesh driver: others that are ahead', () => {
  let { node, seen, note, begin, decideHere } = heights()
  beforeEach(() => {
    ;({ node, seen, note, begin, decideHere } = heights())
  })
  afterEach(() => node.mesh.stop())

  it('more than a third at a greater height for a while is told, and again while it is so', async () => {
    note('onBehind')
    await begin()
    node.receive(vote(7, undefined, 1))
    node.receive(vote(4, undefined, 2))
    expect(node.mesh.status.behind).to.equal(4)
    await node.clock.pass(499)
    expect(seen).to.deep.equal([])
    await node.clock.pass(1)
    expect(seen).to.deep.equal([[4]])
    await node.clock.pass(5000)
    expect(seen).to.deep.equal([[4]])
    for (let times = 0; times < 10; times++) node.receive(vote(8, undefined, 3))
    await node.clock.pass(500)
    expect(seen).to.deep.equal([[4], [7]])
  })

  it('who has gone on with the others meanwhile is not', async () => {
    note('onBehind')
    await begin()
    for (const by of [1, 2, 3]) node.receive(vote(2, undefined, by))
    await decideHere(1)
    await node.clock.pass(10_000)
    expect(seen).to.deep.equal([])
  })

  it('one alone is told only when this height does not end for long: it may have a vote that nobody else has', async () => {
    note('onBehind')
    await begin()
    node.receive(vote(2, undefined, 1))
    await node.clock.pass(4999)
    expect(seen).to.deep.equal([])
    await node.clock.pass(1)
    expect(seen).to.deep.equal([[2]])
  })

  it('strangers cannot have it told', async () => {
    note('onBehind')
    await begin()
    for (const fill of [5, 6, 7]) node.receive(vote(9, undefined), new Uint8Array(32).fill(fill))
    await node.clock.pass(20_000)
    expect(seen).to.deep.equal([])
  })
})
