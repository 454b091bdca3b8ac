import { expect } from 'chai'
import type { ProposedBlock } from '../../../consensus/mesh/index.ts'
import { blockOf, decide, KEYS, log, proposal, publish, Scripted, vote } from './scripted.ts'
import { settle } from './ports.ts'

const BLOCK = blockOf(1, 'x')
const asked = (node: Scripted) => node.trace.filter((step) => step.startsWith('request')).length

function told(block: ProposedBlock, round = 0, validRound = -1, valid = true) {
  return { type: 'block', value: block.value, valid, round, validRound, proposer: KEYS[(1 + round) % 4]! }
}

describe('mesh driver: blocks and the proposals that name them', () => {
  let node: Scripted
  beforeEach(async () => {
    node = new Scripted()
    node.start({ blockMs: 400 })
    await node.clock.until(() => node.mesh.status.step === 'deciding' && node.engines.length === 1)
    await settle()
  })
  afterEach(() => node.mesh.stop())

  it('a block that comes after its proposal is checked and durable before the engine hears of it', async () => {
    node.receive(proposal(1, BLOCK))
    const durable = node.hold('persist x')
    expect(node.mesh.receiveBlock(1, 0, BLOCK)).to.equal(true)
    await settle()
    expect(node.trace).to.deep.equal(['check x'])
    expect(node.told).to.deep.equal([])
    durable()
    await settle()
    expect(node.trace).to.deep.equal(['check x', 'persist x', 'persist x durable'])
    expect(node.told).to.deep.equal([told(BLOCK)])
  })

  it('a block that comes before its proposal costs no check until it is named', async () => {
    node.mesh.receiveBlock(1, 0, BLOCK)
    await settle()
    expect(node.trace).to.deep.equal([])
    node.receive(proposal(1, BLOCK))
    await settle()
    expect(node.told).to.deep.equal([told(BLOCK)])
    await node.clock.pass(5000)
    expect(asked(node)).to.equal(0)
  })

  it('a block that is proposed again is told for that round too, and checked once', async () => {
    node.mesh.receiveBlock(1, 0, BLOCK)
    node.receive(proposal(1, BLOCK))
    await settle()
    node.receive(proposal(1, BLOCK, 2, 0))
    node.receive(proposal(1, BLOCK, 2, 0))
    await settle()
    expect(node.told).to.deep.equal([told(BLOCK), told(BLOCK, 2, 0)])
    expect(node.application.checked).to.deep.equal(['x'])
  })

  it('rounds that name a block while it is still checked are all told', async () => {
    const durable = node.hold('persist x')
    node.receive(proposal(1, BLOCK))
    node.mesh.receiveBlock(1, 0, BLOCK)
    await settle()
    node.receive(proposal(1, BLOCK, 1, 0))
    durable()
    await settle()
    expect(node.told).to.deep.equal([told(BLOCK), told(BLOCK, 1, 0)])
  })

  it('an invalid block is told as that, and neither made durable nor kept from others', async () => {
    const invalid: string[] = []
    await node.mesh.stop()
    node = new Scripted()
    node.events.onInvalidBlock = (code) => invalid.push(code)
    node.start()
    await node.clock.until(() => node.engines.length === 1)
    const [bad, good] = [blockOf(1, 'bad', false), blockOf(1, 'good')]
    for (const block of [bad, good]) {
      node.receive(proposal(1, block))
      node.mesh.receiveBlock(1, 0, block)
    }
    await settle()
    expect(node.told).to.deep.equal([told(bad, 0, -1, false), told(good)])
    expect([...node.disk.blocks.values()]).to.deep.equal([good])
    expect(invalid).to.deep.equal(['E_BLOCK'])
  })

  it('other bytes under the name of a block are refused, and the block is still awaited', async () => {
    node.receive(proposal(1, BLOCK))
    expect(node.mesh.receiveBlock(1, 0, { value: BLOCK.value, bytes: blockOf(1, 'y').bytes })).to.equal(false)
    await settle()
    expect(node.told).to.deep.equal([])
    node.mesh.receiveBlock(1, 0, BLOCK)
    await settle()
    expect(node.told).to.deep.equal([told(BLOCK)])
  })

  it('a block that does not come is asked for until it does', async () => {
    node.receive(proposal(1, BLOCK))
    await node.clock.pass(399)
    expect(asked(node)).to.equal(0)
    await node.clock.pass(1)
    expect(node.trace).to.deep.equal([`request 1 ${BLOCK.value[35]}`])
    await node.clock.pass(800)
    expect(asked(node)).to.equal(3)
    node.mesh.receiveBlock(1, 0, BLOCK)
    await node.clock.pass(4000)
    expect(asked(node)).to.equal(3)
    expect(node.told).to.deep.equal([told(BLOCK)])
  })

  it('a value that more than a third voted for is asked for without its proposal; of fewer it is not', async () => {
    node.receive(vote(1, BLOCK, 1))
    node.receive(vote(1, blockOf(1, 'other'), 2))
    node.receive(vote(1, BLOCK, 1))
    await node.clock.pass(2000)
    expect(asked(node)).to.equal(0)
    node.receive(vote(1, BLOCK, 3))
    await node.clock.pass(400)
    expect(asked(node)).to.equal(1)
    node.mesh.receiveBlock(1, 0, BLOCK)
    await settle()
    expect(node.told).to.deep.equal([told(BLOCK)])
  })

  it('a value that a polka certificate names is asked for', async () => {
    node.receive({ type: 'polka', height: 1, round: 2, value: BLOCK.value, signatures: [] }, KEYS[2]!)
    await node.clock.pass(400)
    expect(asked(node)).to.equal(1)
  })

  it('what another than the proposer of a round proposes, and a third value of a round, are not wanted', async () => {
    node.receive(proposal(1, blockOf(1, 'stranger'), 0, -1, 2))
    for (const name of ['a', 'b', 'c']) node.receive(proposal(1, blockOf(1, name)))
    await node.clock.pass(400)
    expect(asked(node)).to.equal(2)
  })

  it('what the engine refuses names nothing', async () => {
    const { EngineRefusal } = await import('../../../consensus/mesh/index.ts')
    node.answer = () => {
      throw new EngineRefusal('E_BFT_SIGNATURE', 'no')
    }
    node.receive(proposal(1, BLOCK))
    await node.clock.pass(2000)
    expect(asked(node)).to.equal(0)
  })

  it('blocks that nothing names are few, and the oldest goes', async () => {
    const blocks = Array.from({ length: 5 }, (_, at) => blockOf(1, `n${at}`))
    for (const block of blocks) node.mesh.receiveBlock(1, 0, block)
    node.receive(proposal(1, blocks[4]!))
    node.receive(proposal(1, blocks[0]!))
    await settle()
    expect(node.told).to.deep.equal([told(blocks[4]!)])
  })

  it('what is proposed for rounds far ahead does not crowd out the present one', async () => {
    node.receive(proposal(1, BLOCK))
    const far = Array.from({ length: 10 }, (_, at) => blockOf(1, `far${at}`))
    for (const [at, block] of far.entries()) node.receive(proposal(1, block, 1 + at))
    node.mesh.receiveBlock(1, 0, BLOCK)
    await settle()
    expect(node.told).to.deep.equal([told(BLOCK)])
    await node.clock.pass(400)
    expect(asked(node)).to.equal(7)
  })

  it('a proposer that proposes on and on for one round has two blocks checked and stored, whatever was forgotten meanwhile', async () => {
    for (let round = 0; round < 7; round++) node.receive(proposal(1, blockOf(1, `near${round}`), round))
    for (const block of Array.from({ length: 20 }, (_, at) => blockOf(1, `far${at}`))) {
      node.receive(proposal(1, block, 7))
      node.mesh.receiveBlock(1, 7, block)
      await settle()
    }
    expect(node.application.checked).to.deep.equal(['far0', 'far1'])
    expect(node.disk.blocks.size).to.equal(2)
  })

  it('what is proposed for rounds far ahead does not hold up the check of the present one', async () => {
    const comes = (round: number, block = blockOf(1, `far${round}`)) => {
      node.receive(proposal(1, block, round))
      node.mesh.receiveBlock(1, round, block)
    }
    const durable = node.hold('persist far4')
    for (const round of [4, 5, 8]) comes(round)
    await settle()
    comes(0, BLOCK)
    durable()
    await settle()
    expect(node.application.checked).to.deep.equal(['far4', 'x', 'far5', 'far8'])
  })

  it('a block that is named after a restart is found on the disk', async () => {
    node.do(log(), publish('vote'))
    await settle()
    await node.mesh.stop()
    node.disk.blocks.set(String(BLOCK.value), BLOCK)
    node.start()
    await node.clock.until(() => node.engines.length === 2 && node.mesh.status.step === 'deciding')
    await settle()
    expect(node.engine.start.log).to.have.length(1)
    node.receive(proposal(1, BLOCK))
    await settle()
    expect(node.told).to.deep.equal([told(BLOCK)])
    expect(node.application.checked).to.deep.equal([])
    node.do(decide(1, BLOCK))
    await node.clock.until(() => node.disk.chain.length === 1)
    expect(node.disk.chain[0]!.block).to.deep.equal(BLOCK)
  })

  it('a block is published again when the engine wants it', async () => {
    node.receive(proposal(1, BLOCK))
    node.mesh.receiveBlock(1, 0, BLOCK)
    await settle()
    node.do(log(), { type: 'restream', round: 3, validRound: 0, value: BLOCK.value }, publish('proposal'))
    await settle()
    expect(node.trace.slice(3)).to.deep.equal(['append 1/1', 'append 1/1 durable', 'publish 1 proposal', 'block 1/3 x'])
  })

  it('a block of the next height waits for its proposal there', async () => {
    const next = blockOf(2, 'next')
    node.mesh.receiveBlock(2, 0, next)
    node.mesh.receiveBlock(3, 0, blockOf(3, 'far'))
    node.disk.blocks.set(String(BLOCK.value), BLOCK)
    node.do(decide(1, BLOCK))
    await node.clock.until(() => node.engines.length === 2 && node.mesh.status.step === 'deciding')
    await settle()
    node.receive(proposal(2, next))
    await settle()
    expect(node.told).to.deep.equal([{ ...told(next), proposer: KEYS[2] }])
  })
})
