import { expect } from 'chai'
import type { EpochDocument } from '../../node/operations-mesh.ts'
import { extremes, honestIn, medianBound, spanOf, type Point } from '../helpers/mesh-bounds.ts'
import type { MeshMember } from '../helpers/mesh-member.ts'
import { Operators } from '../helpers/operators.ts'
import { eventually } from '../helpers/processes.ts'

const FOUR = ['alpha', 'beta', 'gamma', 'delta']
const HONEST = FOUR.slice(0, 3)
/** Part of the weight of the one that lies. */
const BETA = 1 / 4
/** Epochs that are looked at, of each way to lie. */
const EPOCHS = 5

describe('a running mesh one of whose four operators lies in its reports', function () {
  this.timeout(120_000)
  let mesh: Operators
  let liar: MeshMember

  before(async () => {
    mesh = await Operators.open()
    await mesh.found(FOUR, 400)
    // Different windows: honest nodes differ a little.
    const windows = { alpha: '5', beta: '2', gamma: '1' }
    await Promise.all(HONEST.map((name) => mesh.run(name, { KAIROS_MASTER_TAU_MAX: windows[name as 'alpha'] })))
    liar = await mesh.member('delta')
    await liar.acquainted(3)
    await mesh.reach(3, HONEST)
  })
  after(() => mesh.close())

  /** Says so much about each epoch, from its beginning. @returns what ends it */
  const lie = (about: (honest: readonly Point[]) => readonly Point[]): (() => void) => {
    let honest: readonly Point[] = []
    const say = async (epoch: number): Promise<void> => {
      for (const point of about(honest)) await liar.gossip(await liar.pen.report(epoch, point)).catch(() => undefined)
    }
    return liar.record.onFinal(({ block }, state) => {
      honest = honestIn(block.reports, liar)
      void say(state.height + 1)
    })
  }

  /** Documents of epochs that this holds for, oldest first, as `name` has them. */
  const epochsWith = async (what: string, holds: (epoch: EpochDocument) => boolean): Promise<EpochDocument[]> => {
    const found = new Map<number, EpochDocument>()
    let next = (await mesh.chain('alpha'))!.height
    await eventually(`${EPOCHS} epochs ${what}`, async () => {
      const answer = await mesh.call<EpochDocument>('alpha', `epochs/show?height=${next}`)
      if (!answer.ok) return false
      if (holds(answer.data)) found.set(next, answer.data)
      next += 1
      return found.size === EPOCHS
    })
    return [...found.values()]
  }
  const ofLiar = ({ reportRows }: EpochDocument) => reportRows.filter(({ cell }) => cell === 'delta')
  const ofHonest = ({ reportRows }: EpochDocument) =>
    reportRows.filter(({ cell }) => cell !== 'delta').map(({ t }) => t)
  const areAllThere = (epoch: EpochDocument) => ofHonest(epoch).length === 3

  for (const [way, direction] of Object.entries(extremes))
    it(`P7, P8 |T| = 1 ${way}: T_global moves by ≤ 2β, the median within its bound`, async () => {
      const end = lie((honest) => [direction(honest)])
      const epochs = await epochsWith('count it', (epoch) => areAllThere(epoch) && ofLiar(epoch)[0]?.counted === true)
      end()
      for (const epoch of epochs) {
        const honest = spanOf(ofHonest(epoch))
        expect(epoch.decision.reporting, `epoch ${epoch.height}`).to.equal(1)
        expect(honest.to(ofLiar(epoch)[0]!.t), 'it lies far off').to.be.above(0.5)
        expect(honest.to(epoch.t)).to.be.within(0.1, 2 * BETA)
        expect(honest.to(epoch.median)).to.be.at.most(medianBound(honest.radius, BETA))
      }
    })

  it('an author of two reports of one epoch counts for nothing, at all nodes alike', async () => {
    const end = lie((honest) => [extremes['against the others'](honest), [0, 1]])
    const epochs = await epochsWith(
      'carry two of its reports',
      (epoch) => areAllThere(epoch) && ofLiar(epoch).length === 2,
    )
    end()
    for (const { height, reportRows, decision, t } of epochs) {
      expect(reportRows.map(({ cell, counted }) => [cell, counted])).to.have.deep.members([
        ['alpha', true],
        ['beta', true],
        ['gamma', true],
        ['delta', false],
        ['delta', false],
      ])
      expect(decision.reporting, `epoch ${height}`).to.be.closeTo(1 - BETA, 1e-6)
      const honest = reportRows.filter(({ counted }) => counted).map((row) => row.t)
      // What is silent counts as zero.
      for (const part of [0, 1] as const)
        expect(t[part]).to.be.closeTo(
          honest.reduce((sum, one) => sum + one[part] / 4, 0),
          1e-8,
        )
    }
    const { height } = epochs.at(-1)!
    const all = await Promise.all(HONEST.map((name) => mesh.epochs(name, height)))
    for (const rows of all) expect(rows.map(({ cid }) => cid)).to.deep.equal(all[0]!.map(({ cid }) => cid))
  })
})
