import { expect } from 'chai'
import { RealCell } from '../helpers/cell.ts'
import { CellClients } from '../helpers/cell-clients.ts'
import { eventually } from '../helpers/processes.ts'

describe('the members of a cell of real nodes', function () {
  this.timeout(90_000)
  let cell: RealCell
  beforeEach(async () => {
    cell = await RealCell.open()
  })
  afterEach(() => cell.close())

  it('a cell grows from one to three and shrinks back to one while it serves; a leader that leaves hands over', async () => {
    await cell.found('a')
    const clients = new CellClients(cell)
    clients.start(3)
    await cell.join('b', 'a')
    await cell.voters(2)
    await cell.join('c', 'a')
    await cell.voters(3)
    expect((await cell.members('c')).map(({ name, counts }) => [name, counts])).to.have.deep.members([
      ['a', 'voter'],
      ['b', 'voter'],
      ['c', 'voter'],
    ])
    if ((await cell.leader()) !== 'b') await cell.post('a', 'cell/transfer', { peer: cell.peerId('b') })
    expect(await cell.leader()).to.equal('b')
    await cell.stage.did('b', ['leave', '--yes'])
    expect(await cell.status('a').then(({ leader }) => cell.nameOf(leader ?? '')), 'at once').to.be.oneOf(['a', 'c'])
    expect((await cell.gone('b')).code).to.equal(0)
    await cell.voters(2)
    await cell.post('a', 'members/rm', { peer: cell.peerId('c'), reason: 'test' })
    await eventually('one voter', async () => (await cell.status('a')).voters.length === 1)
    expect((await cell.setLabel('a', 'a', 'after', 'all')).ok).to.equal(true)
    await clients.stop()
    expect(clients.verdict).to.deep.equal({ ok: true })
    expect(clients.answered.sets).to.be.greaterThan(50)
    expect(await cell.labels('a', 'a')).to.include({ after: 'all' })
  })

  it('those who came in through the same one know each other: without it they are a majority that serves', async () => {
    for (const name of ['a', 'b', 'c']) await (name === 'a' ? cell.found(name) : cell.join(name, 'a'))
    await cell.voters(3)
    await cell.acquainted()
    await cell.kill('a')
    await cell.leader()
    expect((await cell.setLabel('b', 'a', 'still', 'served')).ok).to.equal(true)
    expect(await cell.labels('c', 'a')).to.deep.equal({ still: 'served' })
  })

  it('two shrink to one by the leaving of either, leader or follower', async () => {
    await cell.found('a')
    for (const who of ['follower', 'leader']) {
      const name = `second-${who}`
      await cell.join(name, cell.running[0]!)
      await cell.voters(2)
      const leader = await cell.leader()
      const leaver = who === 'leader' ? leader : cell.running.find((other) => other !== leader)!
      const stays = cell.running.find((other) => other !== leaver)!
      await cell.stage.did(leaver, ['leave', '--yes'])
      await cell.gone(leaver)
      await cell.voters(1)
      expect((await cell.setLabel(stays, stays, 'alone', who)).ok, `${stays} after ${leaver} left`).to.equal(true)
    }
  })
})
