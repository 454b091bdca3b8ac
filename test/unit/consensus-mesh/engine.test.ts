import { expect } from 'chai'
import { Nodes, type NodesInit } from './nodes.ts'

describe('mesh driver: validators with the real engine', () => {
  let nodes: Nodes
  const create = async (init: Partial<NodesInit> = {}) => {
    nodes = await Nodes.create({ count: 4, isQuick: true, ...init })
    return nodes
  }
  afterEach(async () => {
    await nodes.stop()
    expect(nodes.wrongs).to.deep.equal([])
    expect(nodes.agreed.filter((names) => names.includes(' or '))).to.deep.equal([])
  })

  it('four decide fifty heights, in the first round each, at the pace that is asked for', async () => {
    await create({ isQuick: false })
    nodes.startAll()
    await nodes.reach(50)
    expect(nodes.agreed).to.have.length.within(50, 51)
    expect(nodes.nodes[0]!.disk.chain.map(({ certificate }) => certificate.round)).to.deep.equal(Array(50).fill(0))
    // An epoch is the pace, and a block, two votes and what is late of them, each 10 ms on its way.
    expect(nodes.clock.now()).to.be.within(50 * 120, 50 * 160)
    expect(nodes.requests).to.deep.equal([])
    expect(nodes.fatal).to.deep.equal([])
  })

  it('one alone decides by itself', async () => {
    await create({ count: 1 })
    nodes.startAll()
    await nodes.reach(10)
    expect(nodes.clock.now()).to.be.within(900, 1100)
  })

  it('a silent validator costs a round where it is to propose, and nothing else', async () => {
    const missed: string[] = []
    await create()
    nodes.events = () => ({ onMissedProposal: (proposer) => missed.push(String(proposer)) })
    for (const number of [0, 1, 2]) nodes.start(number)
    await nodes.reach(20, [0, 1, 2])
    const rounds = nodes.nodes[0]!.disk.chain.slice(0, 20).map(({ certificate }) => certificate.round)
    expect(new Set(rounds)).to.deep.equal(new Set([0, 1]))
    expect(new Set(missed)).to.deep.equal(new Set([String(nodes.nodes[3]!.key)]))
  })

  it('blocks that are late, but within the time of a round, cost no round', async () => {
    await create()
    nodes.blockDelayMs = 300
    nodes.startAll()
    await nodes.reach(5)
    expect(nodes.nodes[0]!.disk.chain.map(({ certificate }) => certificate.round)).to.include.members([0])
    expect(nodes.nodes[0]!.disk.chain.every(({ certificate }) => certificate.round === 0)).to.equal(true)
    expect(nodes.requests).to.deep.equal([])
  })

  it('blocks that are lost on their way to one are asked for by it', async () => {
    await create()
    nodes.isLost = (_from, to, what) => what === 'block' && to === 2
    nodes.startAll()
    await nodes.reach(5)
    expect(new Set(nodes.requests)).to.deep.equal(new Set([2]))
  })

  it('two of four decide nothing, and all go on when they meet the others again', async () => {
    await create()
    nodes.startAll()
    await nodes.reach(3)
    const at = [0, 1, 2, 3].map((number) => nodes.heightOf(number))
    nodes.isLost = (from, to) => from < 2 !== to < 2
    await nodes.clock.pass(20_000)
    const height = Math.max(...at)
    expect([0, 1, 2, 3].map((number) => nodes.heightOf(number)).every((now) => now <= height + 1)).to.equal(true)
    nodes.isLost = () => false
    await nodes.reach(height + 5, undefined, 40_000)
  })

  it('one that was cut off catches up with what was decided without it, and validates again', async () => {
    await create()
    nodes.startAll()
    await nodes.reach(2)
    nodes.isLost = (from, to) => from === 3 || to === 3
    await nodes.reach(12, [0, 1, 2])
    expect(nodes.heightOf(3)).to.be.lessThan(4)
    nodes.isLost = () => false
    await nodes.reach(20)
    const before = nodes.heard.length
    await nodes.reach(30)
    expect(nodes.heard.slice(before).filter((said) => said.startsWith('3: precommit'))).to.have.length.above(5)
  })

  it('messages lost at random cost time, not agreement', async () => {
    await create()
    let state = 1
    const dice = () => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff
    nodes.isLost = () => dice() < 0.2
    nodes.startAll()
    await nodes.reach(15, undefined, 600_000)
  })

  it('an idle mesh decides at its idle pace', async () => {
    await create({ pace: { epochMs: 100, idleEpochMs: 5000 } })
    nodes.startAll()
    for (const { process } of nodes.nodes) process!.application.isBusy = false
    await nodes.clock.pass(60_000)
    expect(nodes.heightOf(0)).to.be.within(11, 13)
    nodes.nodes[1]!.process!.application.isBusy = true
    const [before, at] = [nodes.heightOf(0), nodes.clock.now()]
    await nodes.reach(before + 2)
    expect(nodes.clock.now() - at).to.be.lessThan(5000)
  })

  it('the set changes while it runs: who joins and who leaves follows what is decided without it', async () => {
    const validators = (height: number) => (height <= 5 ? [0] : height <= 10 ? [0, 1, 2, 3] : [1, 2, 3, 4])
    await create({ count: 5, validators })
    nodes.startAll()
    await nodes.reach(16)
    const early = nodes.nodes[0]!.disk.chain.slice(0, 5).map(({ certificate }) => certificate.signatures.length)
    expect(early).to.deep.equal([1, 1, 1, 1, 1])
    const spoke = (number: number) =>
      nodes.heard.filter((said) => said.startsWith(`${number}: pre`)).map((said) => Number(/ (\d+)\//.exec(said)![1]))
    expect(Math.min(...spoke(4))).to.be.at.least(11)
    expect(Math.max(...spoke(0))).to.be.at.most(10)
  })

  it('a trap in the middle of a height costs neither agreement nor the validator', async () => {
    await create()
    let inputs = 0
    let traps = 0
    nodes.events = () => ({ onTrap: () => (traps += 1) })
    nodes.wrapEngine = (node, create) => (start, host) => {
      const engine = create(start, host)
      return {
        free: () => engine.free(),
        input: (input) => {
          const effects = engine.input(input)
          // What the engine had said by then is lost with it.
          if (node === 1 && ++inputs % 23 === 0) throw new Error('unreachable')
          return effects
        },
      }
    }
    nodes.startAll()
    await nodes.reach(40)
    expect(traps).to.be.greaterThan(3)
    expect(nodes.heard.filter((said) => said.startsWith('1: precommit'))).to.have.length.above(5)
  })

  it('a disk that fails stops its validator, which says nothing more; the others go on', async () => {
    await create()
    nodes.startAll()
    await nodes.reach(2)
    const { disk } = nodes.nodes[1]!
    disk.isFailing = true
    await nodes.clock.until(() => nodes.fatal.length > 0)
    const { length } = nodes.heard
    await nodes.reach(8, [0, 2, 3])
    expect(nodes.heard.slice(length).filter((said) => said.startsWith('1:'))).to.deep.equal([])
    expect(nodes.fatal.map(({ node }) => node)).to.deep.equal([1])
  })
})

describe('mesh driver: a validator that crashes', () => {
  const HEIGHTS = 3

  /** Nodes of which one, that proposes among the first heights, ends at a step of its ports. */
  const create = async (endsAt: number) => {
    const nodes = await Nodes.create({ count: 4, isQuick: true })
    const victim = nodes.proposerOf(2)
    const steps: string[] = []
    nodes.isCrash = (node, step) => node === victim && steps.push(step) === endsAt
    nodes.startAll()
    return { nodes, victim, steps }
  }

  const stepsOfAll = async () => {
    const { nodes, victim, steps } = await create(Infinity)
    await nodes.reach(HEIGHTS, [victim])
    const all = [...steps]
    await nodes.stop()
    return all
  }

  it('at any step of its ports never contradicts itself, and catches up', async () => {
    const all = await stepsOfAll()
    const kinds = new Set(all.map((step) => step.split(' ')[0]))
    expect([...kinds].sort()).to.deep.equal(['append', 'check', 'commit', 'persist', 'publish', 'publishBlock'])
    for (const [at, step] of all.entries()) {
      const { nodes, victim } = await create(at + 1)
      await nodes.clock.until(() => nodes.nodes[victim]!.process === undefined)
      await nodes.clock.pass(50)
      nodes.start(victim)
      const height = nodes.heightOf(victim) + 3
      await nodes.reach(height, undefined, 120_000).catch(() => expect.fail(`stuck after a crash at ${at}: ${step}`))
      await nodes.stop()
      expect(nodes.wrongs, `${at}: ${step}`).to.deep.equal([])
      expect(nodes.agreed.some((names) => names.includes(' or '))).to.equal(false)
    }
  })

  it('with two others at once: nothing is lost that had been decided, and they go on', async () => {
    const all = await stepsOfAll()
    for (const [at, step] of all.entries()) {
      const { nodes, victim } = await create(at + 1)
      await nodes.clock.until(() => nodes.nodes[victim]!.process === undefined)
      const decided = nodes.agreed
      const all = [victim, ...[0, 1, 2, 3].filter((number) => number !== victim).slice(0, 2)]
      for (const number of all) nodes.crash(number)
      await nodes.clock.pass(3000)
      for (const number of all) nodes.start(number)
      const height = decided.length + 3
      await nodes.reach(height, undefined, 120_000).catch(() => expect.fail(`stuck after a crash at ${at}: ${step}`))
      await nodes.stop()
      expect(nodes.wrongs).to.deep.equal([])
      expect(nodes.agreed.slice(0, decided.length)).to.deep.equal(decided)
    }
  })
})
