import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { blockFiles } from '../helpers/blocks.ts'
import { RealCell } from '../helpers/cell.ts'
import { PinNodes } from '../helpers/pin-nodes.ts'
import { eventually } from '../helpers/processes.ts'

const PERIOD_S = 3
const FILE_BYTES = 2_500_000

describe('a real node that has lost what it says it holds', function () {
  this.timeout(90_000)
  let cell: RealCell
  let nodes: PinNodes
  before(async () => {
    const env = { KAIROS_PINS_AUDIT_PERIOD_S: String(PERIOD_S), KAIROS_PINS_REPAIR_GRACE_S: '2' }
    cell = await (await RealCell.open(env)).grow(3)
    nodes = new PinNodes(cell.stage)
  })
  after(() => cell.close())

  it('learns it from a challenge, fetches what it has lost, and is believed again', async () => {
    const liar = 'b'
    const cid = await nodes.add('a', randomBytes(FILE_BYTES), { pin: true, replicationMin: 3, wait: true })
    await eventually('every copy is proven', async () => {
      const { copies } = await nodes.status('c', cid)
      return copies.every(({ proven }) => proven !== null)
    })
    const files = await blockFiles(cell.stage.path(liar, 'blocks'))
    for (const file of files) await rm(file)
    // Nobody reads them but who is challenged.
    await eventually('the blocks are there again', async () => {
      const found = await blockFiles(cell.stage.path(liar, 'blocks'))
      return files.length > 0 && files.every((file) => found.includes(file))
    })
    const healed = Date.now()
    await eventually('its copy is proven again', async () => {
      const { pinned, copies } = await nodes.status('c', cid)
      const copy = copies.find(({ name }) => name === liar)
      return pinned === 3 && Date.parse(copy?.proven ?? '') > healed
    })
    expect(JSON.stringify(await nodes.verify(liar, false))).to.not.match(/"(missing|damaged)"/)
  })
})
