import { expect } from 'chai'
import { writeFile } from 'node:fs/promises'
import { cidOfSet } from '../../consensus/epoch/index.ts'
import type { PeerRow } from '../../node/operations.ts'
import type { VerifiedEpoch } from '../../node/epoch-file.ts'
import { kairos } from '../helpers/kairos.ts'
import { Forger } from '../helpers/mesh-forger.ts'
import { refusals } from '../helpers/mesh-garbage.ts'
import type { MeshMember } from '../helpers/mesh-member.ts'
import { Operators } from '../helpers/operators.ts'
import { document, eventually } from '../helpers/processes.ts'

/** The key of three quarters of the power in the hands of a liar, after its operator was removed. */
describe('a running mesh whose former validators certify what is not so', function () {
  this.timeout(120_000)
  let mesh: Operators
  let liar: MeshMember
  let forger: Forger
  /** The last epoch of which the liar tells the truth: delta alone decides it, and the next. */
  let changed: number

  /** Until delta alone decides. */
  const removeAlpha = async (): Promise<void> => {
    await mesh.move('alpha', { type: 'operator-remove', cell: 'alpha' })
    await eventually('alpha decides no more', async () => {
      const { operators, next } = await mesh.validators('delta')
      return operators.length === 1 && next.validators.length === 1
    })
  }

  before(async () => {
    mesh = await Operators.open()
    await mesh.found(['alpha', 'delta'], 200, ['alpha=3'])
    await Promise.all(['alpha', 'delta'].map((name) => mesh.run(name)))
    for (const name of ['liar', 'witness']) await mesh.join(name, 'delta', 'witness')
    await removeAlpha()
    const { height } = (await mesh.chain('delta'))!
    changed = height + 2
    await mesh.reach(changed, ['delta'])
    await mesh.end('alpha')
    await mesh.reach(changed + 1, ['delta'])
    liar = await mesh.member('liar')
    forger = await Forger.of(liar, [mesh.stage.path('alpha')])
    await eventually('the liar has the record', () => liar.state.height > changed)
  })
  after(() => mesh.close())

  it('a witness refuses it with a code, counts it, takes points for it, and has the epochs that there are', async () => {
    await forger.serve(changed)
    await mesh.run('witness')
    await eventually('it has been lied to', () => forger.served.length > 0)
    await eventually('it refuses', async () => (await refusals(mesh, 'witness', 'E_CERTIFICATE_STRANGER')) > 0)
    const { height } = (await mesh.chain('delta'))!
    await mesh.reach(height + 3, ['witness'])
    const [said, taken] = await Promise.all(['delta', 'witness'].map((name) => mesh.epochs(name, height + 3)))
    expect(taken!.map(({ cid }) => cid)).to.deep.equal(said!.map(({ cid }) => cid))
    expect(taken).to.have.lengthOf(height + 3)
    const { peers } = (await document<{ peers: PeerRow[] }>(mesh.stage.path('witness'), 'peers'))!
    const scoreOf = (peer: string) => peers.find(({ peerId }) => peerId === peer)?.score
    expect(scoreOf(liar.peerId)).to.be.below(0)
  })

  describe('with an exported epoch, before a stranger', () => {
    const checkpoint = async () => `${changed}:${(await mesh.epochs('delta', changed)).at(-1)!.cid}`
    const verified = async (file: Uint8Array, ...trust: string[]) => {
      const path = mesh.stage.path('forged.kairos')
      await writeFile(path, file)
      return kairos(['epoch', 'verify', path, '--path', mesh.stage.path('nobody'), '--json', ...trust])
    }
    /** A history in which nobody was removed, as far as the first epoch that delta decided alone. */
    const other = async () => {
      const set = forger.founders
      const changes = { validators: cidOfSet(set), nextValidators: cidOfSet(set) }
      return { set, forged: await forger.forge(changed, changes), next: await forger.forge(changed + 1, changes) }
    }

    it('who has only the genesis must believe them, and is told that it is by the genesis', async () => {
      const { set, forged } = await other()
      const file = await forger.export(changed, 0, [forged], [set])
      const { code, stdout } = await verified(file, '--genesis', mesh.stage.path('genesis'))
      expect(code).to.equal(0)
      expect(JSON.parse(stdout) as VerifiedEpoch).to.deep.include({ trust: 'genesis', path: [0, changed] })
    })

    it('who has a checkpoint refuses their history, and what they put after the checkpoint', async () => {
      const { set, forged, next } = await other()
      const files: [string, Uint8Array][] = [
        ['E_LIGHT_CHECKPOINT', await forger.export(changed, 0, [forged], [set])],
        ['E_LIGHT_CHECKPOINT', await forger.export(changed + 1, changed, [forged, next], [set])],
        ['E_LIGHT_CHAIN', await forger.export(changed + 1, changed, [next], [set])],
        ['E_LIGHT_CERTIFICATE', await forger.export(changed + 1, changed, [await forger.forge(changed + 1)])],
      ]
      for (const [expected, file] of files) {
        const { code, stdout, stderr } = await verified(file, '--checkpoint', await checkpoint())
        expect([code, stdout]).to.deep.equal([4, ''])
        expect(stderr).to.contain(expected)
      }
    })

    it('the true epoch is proven by the same checkpoint', async () => {
      const file = await forger.export(changed + 1, changed, [])
      const { code, stdout } = await verified(file, '--checkpoint', await checkpoint())
      expect(code).to.equal(0)
      expect((JSON.parse(stdout) as VerifiedEpoch).path).to.deep.equal([changed, changed + 1])
    })
  })
})
