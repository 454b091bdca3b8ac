import { expect } from 'chai'
import type { EpochDocument, MotionDocument, ValidatorsDocument } from '../../node/operations-mesh.ts'
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

  const validators = async (name: string): Promise<ValidatorsDocument> => {
    const answer = await mesh.call<ValidatorsDocument>(name, 'validators')
    if (!answer.ok) throw new Error(`validators of ${name}: ${answer.code}`)
    return answer.data
  }
  const carry = async (policy: object): Promise<void> => {
    const change = { type: 'policy-set', policy }
    const moved = await mesh.call<MotionDocument>('alpha', 'motions/move', { change })
    if (!moved.ok) throw new Error(`no motion: ${moved.code}`)
    for (const name of ['beta', 'gamma']) expect(await mesh.vote(name, moved.data.id, true)).to.include({ ok: true })
  }
  const evidence = async (): Promise<EpochDocument['evidenceRows'][number][]> => {
    const rows = (await mesh.epochs('alpha', 1000)).filter((row) => row.evidence > 0)
    const epochs = await Promise.all(
      rows.map(({ height }) => mesh.call<EpochDocument>('alpha', `epochs/show?height=${height}`)),
    )
    return epochs.flatMap((epoch) => (epoch.ok ? epoch.data.evidenceRows : []))
  }

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
    await carry({ doubleVote: 'note' })
    await eventually('it is only noted', async () => (await validators('alpha')).policy.doubleVote === 'note')
    const { said } = (equivocator = new Equivocator(liar, toHalves))
    const turns = () => [...said].filter((what) => what.startsWith('proposal')).length
    await eventually('it has split some of its own epochs', () => turns() >= TURNS)
    const found = await eventually('evidence is in an epoch', async () => {
      const rows = await evidence()
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
    await carry({ doubleVote: 'remove' })
    for (const name of HONEST)
      await eventually(`it is out at ${name}`, async () => (await validators(name)).out.includes(liar.peerId))
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 5, HONEST)
    const rows = await Promise.all(HONEST.map((name) => mesh.epochs(name, height + 5)))
    for (const of of rows) expect(of.map(({ cid }) => cid)).to.deep.equal(rows[0]!.map(({ cid }) => cid))
  })
})
