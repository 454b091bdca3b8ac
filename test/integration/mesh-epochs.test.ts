import { expect } from 'chai'
import { rm } from 'node:fs/promises'
import type { EpochDocument, EpochRow } from '../../node/operations-mesh.ts'
import { eventually } from '../helpers/processes.ts'
import { Operators } from '../helpers/operators.ts'

const FOUR = ['alpha', 'beta', 'gamma', 'delta']

describe('epochs of real nodes', function () {
  this.timeout(180_000)
  let mesh: Operators
  beforeEach(async () => {
    mesh = await Operators.open()
  })
  afterEach(() => mesh.close())

  /** That all have the same CIDs at every height up to `to`. */
  const expectEqual = async (names: readonly string[], to: number): Promise<void> => {
    const all = await Promise.all(names.map((name) => mesh.epochs(name, to)))
    const [first] = all.map((rows) => rows.map(({ height, cid }) => `${height} ${cid}`))
    expect(first).to.have.lengthOf(to)
    for (const [at, rows] of all.entries()) {
      expect(
        rows.map(({ height, cid }) => `${height} ${cid}`),
        names[at],
      ).to.deep.equal(first)
    }
  }

  it('a mesh of one decides them by itself, and counts its own report in the next', async () => {
    await mesh.found(['one'])
    await mesh.run('one')
    const counted = await eventually('a report is counted', async () => {
      const rows = await mesh.epochs('one', 20)
      return rows.find(({ reports }) => reports === 1)
    })
    const epoch = await mesh.stage.json<EpochDocument>('one', ['epoch', 'show', String(counted.height)])
    expect(epoch.reportRows.map(({ name, cell, counted }) => [name, cell, counted])).to.deep.equal([
      ['one', 'one', true],
    ])
    expect(epoch.t).to.deep.equal(epoch.reportRows[0]!.t)
    expect(epoch.decision).to.include({ reporting: 1 })
    expect(epoch.certificate).to.include({ power: epoch.certificate.total })
  })

  it('a mesh of one goes on from its stores after a kill', async () => {
    await mesh.found(['one'], 200)
    await mesh.run('one')
    await mesh.reach(10, ['one'])
    await mesh.end('one', 'SIGKILL')
    await mesh.run('one')
    const before = (await mesh.chain('one'))!.height
    expect(before).to.be.at.least(10)
    await mesh.reach(before + 10, ['one'])
    await expectEqual(['one'], before + 10)
  })

  it('four operators agree on each, one of them killed and started again under way', async () => {
    await mesh.found(FOUR, 300)
    await Promise.all(FOUR.map((name) => mesh.run(name)))
    await mesh.reach(6, FOUR)
    await mesh.end('delta', 'SIGKILL')
    const others = FOUR.slice(0, 3)
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 10, others)
    await mesh.run('delta')
    await mesh.reach(height + 12, FOUR)
    await expectEqual(FOUR, height + 12)
    const { counters } = (await mesh.chain('delta'))!
    expect(counters.syncedEpochs).to.be.at.least(1)
    const reports = await eventually('all four report', async () => {
      const rows = await mesh.epochs('alpha', 1000)
      return rows.at(-1)?.reports === 4 && rows.at(-1)
    })
    const epoch = await mesh.stage.json<EpochDocument>('beta', ['epoch', 'show', String(reports.height)])
    expect(epoch.decision.reporting).to.equal(1)
    expect(epoch.evidenceRows).to.deep.equal([])
  })

  it('a validator whose epochs were moved away takes them from others, and votes again when it has them', async () => {
    await mesh.found(FOUR, 300)
    await Promise.all(FOUR.map((name) => mesh.run(name)))
    await mesh.reach(6, FOUR)
    await mesh.end('delta')
    await rm(mesh.stage.path('delta', 'mesh', 'chain'), { recursive: true })
    await mesh.run('delta')
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 3, FOUR)
    // Without alpha there is no quorum but with delta.
    await mesh.end('alpha', 'SIGKILL')
    const others = FOUR.slice(1)
    const at = (await mesh.chain('beta'))!.height
    await mesh.reach(at + 3, others)
    await expectEqual(others, at + 3)
    const { counters, problem } = (await mesh.chain('delta'))!
    expect(problem).to.equal(null)
    expect(counters.syncedEpochs).to.be.at.least(6)
  })

  it('a light node and a witness follow, and go on after a restart', async () => {
    await mesh.found(['one'], 300)
    await mesh.run('one')
    // By itself a light node keeps 64.
    const run = (role: string) => mesh.run(role, { KAIROS_MESH_KEEP_EPOCHS: '0' })
    for (const role of ['light', 'witness']) {
      await mesh.join(role, 'one', role)
      await run(role)
    }
    const { height } = (await mesh.chain('one'))!
    await mesh.reach(height + 5, ['light', 'witness'])
    await expectEqual(['one', 'light', 'witness'], height + 5)
    const chain = (await mesh.chain('light'))!
    expect([chain.role, chain.trust, chain.problem]).to.deep.equal(['follower', 'genesis', null])
    for (const role of ['light', 'witness']) expect(await mesh.end(role, 'SIGKILL')).to.equal(null)
    for (const role of ['light', 'witness']) await run(role)
    await mesh.reach(height + 10, ['light', 'witness'])
    await expectEqual(['one', 'light', 'witness'], height + 10)
  })

  it('a node begins at a checkpoint where it is told one, and is refused on epochs of another history', async () => {
    await mesh.found(['one'], 20)
    await mesh.run('one')
    await mesh.reach(260, ['one'], 120_000)
    const [at] = (await mesh.epochs('one', 256)).slice(-1)
    expect(at!.height).to.equal(256)
    await mesh.join('light', 'one', 'light')
    // A light node would soon forget the first ones: the epochs are fast.
    await mesh.run('light', { KAIROS_MESH_CHECKPOINT: `256:${at!.cid}`, KAIROS_MESH_KEEP_EPOCHS: '0' })
    await mesh.reach(258, ['light'])
    const chain = (await mesh.chain('light'))!
    expect([chain.trust, chain.problem]).to.deep.equal(['checkpoint', null])
    const rows = await mesh.stage.did('light', ['epoch', 'ls', '--from', '1', '--limit', '3', '--json'])
    const own = rows
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as EpochRow)
    const theirs = await mesh.epochs('one', 258)
    expect(own.map(({ cid }) => cid)).to.deep.equal(theirs.slice(-3).map(({ cid }) => cid))
    const { height } = (await mesh.chain('light'))!
    await mesh.end('light')
    const refused = await mesh.stage.kairos('light', ['run', '--json'], {
      env: { KAIROS_MESH_CHECKPOINT: `${height}:${at!.cid}`, KAIROS_NETWORK_LISTEN: '/ip4/127.0.0.1/tcp/0' },
    })
    expect(refused.code, refused.stderr).to.equal(4)
    expect(refused.stderr).to.contain('E_MESH_CHECKPOINT')
  })
})
