import { expect } from 'chai'
import { Equivocator, toHalves } from '../helpers/mesh-equivocator.ts'
import type { MeshMember } from '../helpers/mesh-member.ts'
import { Operators } from '../helpers/operators.ts'
import { eventually } from '../helpers/processes.ts'

const FOUR = ['alpha', 'beta', 'gamma', 'delta']
const HONEST = FOUR.slice(0, 3)
/** Of its own epochs, in each of which it gives both halves a block of their own. */
const TURNS = 2

describe('a running mesh one of whose four validators tells each half something else', function () {
  this.timeout(120_000)
  let mesh: Operators
  let liar: MeshMember
  let equivocator: Equivocator | undefined

  before(async () => {
    mesh = await Operators.open()
    await mesh.found(FOUR, 300)
    await Promise.all(HONEST.map((name) => mesh.run(name)))
    liar = await mesh.member('delta')
    await liar.acquainted(3)
    await mesh.reach(2, HONEST)
  })
  after(async () => {
    equivocator?.stop()
    await mesh.close()
  })

  it('they go on and agree on every epoch; what it said twice lands in an epoch as evidence', async () => {
    await mesh.setPolicy(HONEST, { doubleVote: 'note' })
    const { said } = (equivocator = new Equivocator(liar, toHalves))
    const turns = () => [...said].filter((what) => what.startsWith('proposal')).length
    await eventually('it has split some of its own epochs', () => turns() >= TURNS)
    const found = await eventually('evidence is in an epoch', async () => {
      const rows = await mesh.evidence('alpha')
      return rows.length > 0 && rows
    })
    for (const { key } of found) expect(key).to.equal(liar.peerId)
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 5, HONEST)
    const rows = await Promise.all(HONEST.map((name) => mesh.epochs(name, height + 5)))
    for (const of of rows) expect(of.map(({ cid }) => cid)).to.deep.equal(rows[0]!.map(({ cid }) => cid))
    expect(rows[0]).to.have.lengthOf(height + 5)
    for (const name of HONEST) expect((await mesh.chain(name))!.counters.traps).to.equal(0)
  })

  it('by the policy that a mesh begins with its author is out, on all nodes alike', async () => {
    await mesh.setPolicy(HONEST, { doubleVote: 'remove' })
    for (const name of HONEST)
      await eventually(`it is out at ${name}`, async () => (await mesh.validators(name)).out.includes(liar.peerId))
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 5, HONEST)
    const rows = await Promise.all(HONEST.map((name) => mesh.epochs(name, height + 5)))
    for (const of of rows) expect(of.map(({ cid }) => cid)).to.deep.equal(rows[0]!.map(({ cid }) => cid))
  })
})
