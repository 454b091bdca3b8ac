import { expect } from 'chai'
import type { EpochDocument, MotionDocument, ValidatorsDocument } from '../../node/operations-mesh.ts'
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

  const validators = async (name: string): Promise<ValidatorsDocument> => {
    const answer = await mesh.call<ValidatorsDocument>(name, 'validators')
    if (!answer.ok) throw new Error(`validators of ${name}: ${answer.code}`)
    return answer.data
  }
  /** All that the epochs up to the present say of it. */
  const evidence = async () => {
    const rows = await mesh.epochs('alpha', 1000)
    const some = rows.filter((row) => row.evidence > 0)
    const found: (EpochDocument['evidenceRows'][number] & { in: number })[] = []
    for (const { height } of some) {
      const epoch = await mesh.call<EpochDocument>('alpha', `epochs/show?height=${height}`)
      if (epoch.ok) found.push(...epoch.data.evidenceRows.map((row) => ({ ...row, in: height })))
    }
    return found
  }
  const carry = async (policy: object): Promise<void> => {
    const change = { type: 'policy-set', policy }
    const moved = await mesh.call<MotionDocument>('alpha', 'motions/move', { change })
    if (!moved.ok) throw new Error(`no motion: ${moved.code}`)
    for (const name of ['beta', 'gamma']) expect(await mesh.vote(name, moved.data.id, true)).to.include({ ok: true })
    const [wanted] = Object.entries(policy)
    await eventually('the policy holds', async () =>
      Object.entries((await validators('alpha')).policy).some(
        ([key, value]) => key === wanted![0] && value === wanted![1],
      ),
    )
  }

  it('the others go on; both votes and both proposals land in epochs as evidence; noted, it stays by policy', async () => {
    await carry({ doubleVote: 'note' })
    equivocator = new Equivocator(liar)
    const kinds = await eventually('each kind is in an epoch', async () => {
      const found = await evidence()
      return ['prevote', 'precommit', 'proposal'].every((kind) => found.some((row) => row.kind === kind)) && found
    })
    for (const { key, height, in: included } of kinds) {
      expect(key).to.equal(liar.peerId)
      expect(included).to.be.above(height)
    }
    for (const name of HONEST) {
      const { out, operators } = await validators(name)
      expect(out).to.deep.equal([])
      expect(operators.find(({ cell }) => cell === 'delta')!.members[0]).to.include({ isValidator: true })
    }
  })

  it('by the policy `remove` its author is out, on all nodes alike, and what it says counts for nothing any more', async () => {
    await carry({ doubleVote: 'remove' })
    await Promise.all(
      HONEST.map((name) =>
        eventually(`it is out at ${name}`, async () => (await validators(name)).out.includes(liar.peerId)),
      ),
    )
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 8, HONEST)
    for (const name of HONEST) {
      const { out, operators, next } = await validators(name)
      expect(out).to.deep.equal([liar.peerId])
      expect(operators.flatMap(({ members }) => members.map(({ peerId }) => peerId))).to.not.include(liar.peerId)
      expect(next.validators.map(({ peerId }) => peerId)).to.not.include(liar.peerId)
      expect((await mesh.chain(name))!.counters.traps).to.equal(0)
    }
    const rows = await Promise.all(HONEST.map((name) => mesh.epochs(name, height + 8)))
    for (const of of rows) expect(of.map(({ cid }) => cid)).to.deep.equal(rows[0]!.map(({ cid }) => cid))
    const last = Math.max(...(await evidence()).map((row) => row.in))
    expect(last, 'no evidence about who is out').to.be.at.most(height)
  })
})
