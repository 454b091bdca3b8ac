import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { cidText } from '../../../consensus/light/text.ts'
import { EpochRecord } from '../../../node/mesh/epoch-record.ts'
import { createLog } from '../../../node/telemetry/log.ts'
import { TestMesh } from '../epoch/mesh.ts'

describe('the record of a validator whose log was lost', () => {
  let directory: string
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'kairos-record-'))))
  afterEach(() => rm(directory, { recursive: true }))

  const open = (mesh: TestMesh) =>
    EpochRecord.open({
      directory,
      genesis: mesh.founding,
      meshId: cidText(mesh.mesh),
      mesh: mesh.mesh,
      peerId: mesh.validators[0]!.peerId,
      keep: 0,
      isValidator: true,
      ports: mesh.ports,
      fetchReports: async () => [],
      onFatal: (error) => {
        throw error
      },
      log: createLog({ level: 'silent', format: 'text' }).forComponent('record'),
    })

  /** @returns the height of the log that is made anew beside three epochs */
  async function heightAfterLoss(mesh: TestMesh): Promise<number> {
    mesh.advanceTo(3)
    const record = await open(mesh)
    expect(record.wal!.height).to.equal(0)
    for (const { bytes, block, certificate } of mesh.finals)
      await record.application.commit({ value: block.value, bytes }, certificate)
    await record.close()
    await rm(join(directory, 'wal'), { recursive: true })
    const again = await open(mesh)
    const { height } = again.wal!
    await again.close()
    return height
  }

  it('has it vote again after the epoch that it may have voted on: twice would put it out', async () => {
    expect(await heightAfterLoss(new TestMesh({ a: 1, b: 1, c: 1, d: 1 }))).to.equal(5)
  })

  it('lets it go on when it is alone', async () => {
    expect(await heightAfterLoss(new TestMesh({ a: 1 }))).to.equal(0)
  })
})
