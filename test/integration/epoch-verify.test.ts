import { expect } from 'chai'
import { readFile, writeFile } from 'node:fs/promises'
import type { EpochRow } from '../../node/operations.ts'
import type { VerifiedEpoch } from '../../node/epoch-file.ts'
import { kairos } from '../helpers/kairos.ts'
import { Operators } from '../helpers/operators.ts'

const HEIGHT = 5

/** What two nodes of two operators have decided and one handed out; by then both have stopped. */
describe('an epoch of real nodes, verified when no node runs', function () {
  this.timeout(120_000)
  let mesh: Operators
  let rows: EpochRow[]
  const at = (name: string): string => mesh.stage.path(name)
  const verify = (...args: string[]) => kairos(['epoch', 'verify', at('epoch.kairos'), '--path', at('nobody'), ...args])

  before(async () => {
    mesh = await Operators.open()
    await mesh.found(['alpha', 'beta'], 200)
    await Promise.all(['alpha', 'beta'].map((name) => mesh.run(name)))
    await mesh.reach(HEIGHT, ['alpha'])
    rows = await mesh.epochs('alpha', HEIGHT)
    await mesh.stage.did('alpha', ['epoch', 'export', String(HEIGHT), '-o', at('epoch.kairos')])
    await Promise.all(['alpha', 'beta'].map((name) => mesh.end(name)))
  })

  after(() => mesh.close())

  it('by the genesis of the node that is set up here, by a genesis as a file, and by a mesh id', async () => {
    const own = await kairos(['epoch', 'verify', at('epoch.kairos'), '--path', at('alpha'), '--json'])
    const verified = JSON.parse(own.stdout) as VerifiedEpoch
    expect(verified).to.include({ trust: 'genesis', recomputed: true })
    expect(verified.path).to.deep.equal([0, HEIGHT])
    expect(verified.epoch).to.include({ height: HEIGHT, cid: rows[HEIGHT - 1]!.cid })
    for (const genesis of [at('genesis'), verified.mesh.id]) {
      const { code, stdout } = await verify('--genesis', genesis)
      expect(code, genesis).to.equal(0)
      expect(stdout).to.match(/^valid: +yes$/m)
    }
  })

  it('by a checkpoint that it is, and not by one that its way does not pass', async () => {
    const checkpoint = (of: number) => `${of}:${rows[of - 1]!.cid}`
    const { code, stdout } = await verify('--checkpoint', checkpoint(HEIGHT))
    expect(code).to.equal(0)
    expect(stdout).to.match(/^trusted: +the checkpoint 5:/m)
    const other = await verify('--checkpoint', checkpoint(2))
    expect(other.code).to.equal(4)
    expect(other.stderr).to.contain(`kairos epoch export ${HEIGHT} --from 2`)
  })

  it('not by itself, nor when a byte of it was changed', async () => {
    const alone = await verify()
    expect([alone.code, alone.stdout]).to.deep.equal([4, ''])
    expect(alone.stderr).to.contain('E_LIGHT_UNTRUSTED')
    const bytes = await readFile(at('epoch.kairos'))
    bytes[bytes.length - 1]! ^= 1
    await writeFile(at('epoch.kairos'), bytes)
    const forged = await verify('--genesis', at('genesis'))
    expect(forged.code).to.equal(4)
    expect(forged.stderr).to.contain('E_LIGHT_CERTIFICATE')
  })
})
