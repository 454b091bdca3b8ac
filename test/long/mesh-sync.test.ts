import { expect } from 'chai'
import type { ChainSummary } from '../../node/operations-mesh.ts'
import { Forger } from '../helpers/mesh-forger.ts'
import { refusals } from '../helpers/mesh-garbage.ts'
import type { MeshMember } from '../helpers/mesh-member.ts'
import { Operators } from '../helpers/operators.ts'
import { eventually } from '../helpers/processes.ts'

/** `MESH_EPOCHS` gives more, or fewer. */
const EPOCHS = Number(process.env['MESH_EPOCHS'] ?? 10_000)
const PATIENCE_MS = 1_800_000
/** Of one answer of `kairos epoch ls`. */
const ROWS = 1_000

describe(`a witness that begins when there are ${EPOCHS} epochs`, function () {
  this.timeout(0)
  let mesh: Operators
  let liar: MeshMember
  let forger: Forger | undefined

  before(async () => {
    mesh = await Operators.open()
    await mesh.found(['alpha'], 1)
    await mesh.run('alpha')
    for (const name of ['liar', 'witness']) await mesh.join(name, 'alpha', 'witness')
    liar = await mesh.member('liar')
    forger = await Forger.of(liar, [mesh.stage.path('liar')])
    await mesh.reach(EPOCHS, ['alpha'], PATIENCE_MS)
    // The rest of the machine is for who follows.
    await mesh.setPolicy(['alpha'], { epochMs: 1_000, idleEpochMs: 1_000 })
    await eventually('the liar has the record', () => liar.state.height >= EPOCHS, PATIENCE_MS)
  })
  after(async () => {
    await forger?.stop()
    await mesh.close()
  })

  const cids = async (name: string): Promise<string[]> => {
    const found: string[] = []
    for (let from = 1; from <= EPOCHS; from += ROWS) {
      const args = ['epoch', 'ls', '--from', String(from), '--limit', String(ROWS), '--json']
      const rows = (await mesh.stage.did(name, args)).trim().split('\n')
      found.push(...rows.map((row) => (JSON.parse(row) as { cid: string }).cid))
    }
    return found.slice(0, EPOCHS)
  }

  it('takes each of them, from an honest node and from one that lies from the middle on, and has the same', async () => {
    await forger!.serve(EPOCHS / 2)
    const began = performance.now()
    await mesh.run('witness')
    await mesh.reach(EPOCHS, ['witness'], PATIENCE_MS)
    const seconds = (performance.now() - began) / 1000
    console.log(`      ${EPOCHS} epochs in ${seconds.toFixed(0)} s`)
    await eventually('the liar is refused', async () => (await refusals(mesh, 'witness', 'E_CERTIFICATE_STRANGER')) > 0)
    const { counters } = (await mesh.chain('witness')) as ChainSummary
    expect(counters.syncedEpochs).to.be.at.least(EPOCHS)
    const [said, taken] = [await cids('alpha'), await cids('witness')]
    expect(new Set(said)).to.have.lengthOf(EPOCHS)
    expect(taken).to.deep.equal(said)
  })
})
