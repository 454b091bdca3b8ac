import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { blockFiles } from '../helpers/blocks.ts'
import { RealCell } from '../helpers/cell.ts'
import { PinNodes } from '../helpers/pin-nodes.ts'
import { eventually } from '../helpers/processes.ts'

const PERIOD_S = 3
const FILE_BYTES = 2_500_000

describe('a real node that says that it holds what it does not', function () {
  this.timeout(90_000)
  let cell: RealCell
  let nodes: PinNodes
  before(async () => {
    const env = { KAIROS_PINS_AUDIT_PERIOD_S: String(PERIOD_S), KAIROS_PINS_REPAIR_GRACE_S: '2' }
    cell = await (await RealCell.open(env)).grow(3)
    nodes = new PinNodes(cell.stage)
  })
  after(() => cell.close())

  it('is found by challenges, and its copy goes to another one where there is one', async () => {
    const [liar, third] = ['b', 'c']
    const everywhere = await nodes.add('a', randomBytes(FILE_BYTES), { pin: true, replicationMin: 3, wait: true })
    const allocations = `a,${liar}`
    const query = { pin: true, replicationMin: 2, replicationMax: 2, allocations, wait: true }
    const [bytes, moved] = [randomBytes(FILE_BYTES), new Set<string>()]
    const cid = await nodes.add('a', bytes, query)
    for (const each of [everywhere, cid])
      await eventually('every copy is proven', async () => {
        const { copies } = await nodes.status('c', each)
        return copies.every(({ proven }) => proven !== null)
      })
    for (const file of await blockFiles(cell.stage.path(liar, 'blocks'))) await rm(file)
    const copy = await nodes.copy('a', everywhere, 'it is found out', ({ reason }) => reason?.code === 'proof_failed')
    expect(copy).to.include({ name: liar, status: 'pin_error' })
    expect(await nodes.status('c', everywhere)).to.include({ pinned: 2 })
    await eventually('its copy is moved', async () => {
      for (const peerId of (await nodes.get('a', cid)).allocations) moved.add(cell.nameOf(peerId)!)
      return moved.has(third)
    })
    const { copies } = await nodes.held('a', cid, 2)
    expect(copies.map(({ name }) => name)).to.have.members(['a', third])
    expect((await nodes.cat(third, cid)).equals(bytes)).to.equal(true)
  })

  it('has its copy back after `repo verify --repair`, and is believed again', async () => {
    const { pins } = await nodes.list('a')
    const { cid } = pins.find(({ replicationMin }) => replicationMin === 3)!
    const rows = JSON.stringify(await nodes.verify('b', true))
    expect(rows).to.contain('"repaired"').and.to.not.contain('"failed"')
    await nodes.held('a', cid, 3)
  })
})
