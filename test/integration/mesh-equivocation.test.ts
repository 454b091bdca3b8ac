import { expect } from 'chai'
import { Equivocator } from '../helpers/mesh-equivocator.ts'
import type { MeshMember } from '../helpers/mesh-member.ts'
import { Operators } from '../helpers/operators.ts'
import { eventually } from '../helpers/processes.ts'

const FOUR = ['alpha', 'beta', 'gamma', 'delta']
const HONEST = FOUR.slice(0, 3)

describe('a running mesh one of whose four validators contradicts itself', function () {
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

  it('the others go on; both votes and both proposals land in epochs as evidence; noted, it stays by policy', async () => {
    await mesh.setPolicy(HONEST, { doubleVote: 'note' })
    equivocator = new Equivocator(liar)
    const kinds = await eventually('each kind is in an epoch', async () => {
      const found = await mesh.evidence('alpha')
      return ['prevote', 'precommit', 'proposal'].every((kind) => found.some((row) => row.kind === kind)) && found
    })
    for (const { key, height, in: included } of kinds) {
      expect(key).to.equal(liar.peerId)
      expect(included).to.be.above(height)
    }
    for (const name of HONEST) {
      const { out, operators } = await mesh.validators(name)
      expect(out).to.deep.equal([])
      expect(operators.find(({ cell }) => cell === 'delta')!.members[0]).to.include({ isValidator: true })
    }
  })

  it('by the policy `remove` its author is out, on all nodes alike, and what it says counts for nothing any more', async () => {
    await mesh.setPolicy(HONEST, { doubleVote: 'remove' })
    await Promise.all(
      HONEST.map((name) =>
        eventually(`it is out at ${name}`, async () => (await mesh.validators(name)).out.includes(liar.peerId)),
      ),
    )
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 8, HONEST)
    for (const name of HONEST) {
      const { out, operators, next } = await mesh.validators(name)
      expect(out).to.deep.equal([liar.peerId])
      expect(operators.flatMap(({ members }) => members.map(({ peerId }) => peerId))).to.not.include(liar.peerId)
      expect(next.validators.map(({ peerId }) => peerId)).to.not.include(liar.peerId)
      expect((await mesh.chain(name))!.counters.traps).to.equal(0)
    }
    const rows = await Promise.all(HONEST.map((name) => mesh.epochs(name, height + 8)))
    for (const of of rows) expect(of.map(({ cid }) => cid)).to.deep.equal(rows[0]!.map(({ cid }) => cid))
    const last = Math.max(...(await mesh.evidence('alpha')).map((row) => row.in))
    expect(last, 'no evidence about who is out').to.be.at.most(height)
  })
})
