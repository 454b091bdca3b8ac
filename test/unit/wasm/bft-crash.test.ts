import { expect } from 'chai'
import { type Bft, loadBft } from '../../../wasm/bft/load.ts'
import { encodeMessage } from '../../../wasm/bft/messages.ts'
import { type EngineEffect, EngineRefusal } from '../../../wasm/bft/types.ts'
import { BftMesh, contradictions, HOST, hex, type Member, MESH, restless, valueOf } from './bft-mesh.ts'

/** Two runs: the first proposer is heard, or keeps silent until another takes its place. */
const RUNS = {
  'where the first proposer is heard': () => true,
  'where the first proposal is lost': (_from: number, _to: number, { type, round }: { type: string; round: number }) =>
    type !== 'proposal' || round > 0,
}

describe('wasm bft: a crash', () => {
  let bft: Bft
  before(async () => {
    bft = await loadBft({ variant: 'tokens' })
  })

  for (const [name, carries] of Object.entries(RUNS)) {
    it(`before any record of any member is durable: nobody contradicts itself, and all decide one value ${name}`, () => {
      let crashes = 0
      for (let at = 0; at < 4; at++) {
        for (let kept = 0; ; kept++) {
          const mesh = new BftMesh(bft, { host: restless() })
          mesh.carries = carries
          let crashed = 0
          mesh.onLog = (member) => member.at === at && member.log.length === kept && crashed++ === 0
          mesh.start()
          const one = mesh.members[at]!
          mesh.decide(one)
          mesh.catchUp(one)
          const values = new Set(mesh.members.map(({ decided }) => decided && hex(decided.value)))
          const which = `member ${at}, record ${kept}`
          expect([values.size, values.has(undefined)], which).to.deep.equal([1, false])
          for (const member of mesh.members) expect(contradictions(member), which).to.deep.equal([])
          mesh.free()
          if (crashed === 0) break
          crashes++
        }
      }
      expect(crashes).to.be.at.least(4 * 8)
    })
  }

  it('after the decision decides the same again, asks for no extension and logs nothing', () => {
    const mesh = new BftMesh(bft)
    mesh.start()
    for (const { seed, log, decided } of mesh.members) {
      const host = restless()
      const again = mesh.createEngine(seed, log, host)
      const effects = again.input({ type: 'start' })
      expect(effects.filter(({ type }) => type === 'decide')).to.deep.equal([{ type: 'decide', certificate: decided }])
      expect(host.asked).to.deep.equal([])
      expect(effects.map(({ type }) => type)).not.to.include.members(['log', 'getValue'])
      again.free()
    }
    mesh.free()
  })

  it('of a proposer between its proposal and its vote: it proposes that again, and no other', () => {
    const mesh = new BftMesh(bft)
    mesh.begin()
    const { seed } = mesh.proposers[0]!
    const engine = mesh.createEngine(seed)
    engine.input({ type: 'start' })
    const effects = engine.input({ type: 'propose', round: 0, value: valueOf(5) })
    const records = effects.flatMap((effect) => (effect.type === 'log' ? [effect.record] : []))
    const upToProposal = records.slice(0, 1 + records.findIndex((record) => record[0] === 2))
    const again = mesh.createEngine(seed, upToProposal)
    const begun = again.input({ type: 'start' })
    expect(said(begun)).to.deep.equal(said(effects)).and.to.have.length(1)
    expect(begun.map(({ type }) => type))
      .to.include('restream')
      .and.not.to.include('getValue')
    expect(again.input({ type: 'propose', round: 0, value: valueOf(6) })).to.deep.equal([])
    const asked = mesh.createEngine(seed, records.slice(0, 1)).input({ type: 'start' })
    expect(asked, 'with its block alone it is asked for a value').to.deep.include({ type: 'getValue', round: 0 })
  })

  it('does not let a twin make it contradict what the twin has said in its name', () => {
    const mesh = new BftMesh(bft)
    mesh.begin()
    const [proposer, own] = mesh.proposers
    const twin = mesh.vote(own!.at, { value: valueOf(99) })
    expect(mesh.say(own!, twin)).to.equal(undefined)
    const { value } = mesh.proposal(proposer!.at)
    mesh.say(own!, mesh.proposal(proposer!.at))
    mesh.input(own!, { type: 'block', round: 0, validRound: -1, proposer: proposer!.key, value, valid: true })
    mesh.restart(own!)
    const votes = own!.published.filter((bytes) => bytes[0] === 1)
    expect(new Set(votes.map(hex))).to.deep.equal(new Set([hex(encodeMessage(twin))]))
    mesh.free()
  })

  it('leaves where it was: the timers and the round that it was in, and none of those before', () => {
    const mesh = new BftMesh(bft)
    mesh.carries = (_from, _to, { type }) => type !== 'proposal'
    mesh.start()
    mesh.elapse('propose')
    mesh.elapse('precommit')
    const [{ seed, log, round }] = mesh.members as [Member]
    expect(round).to.equal(1)
    const effects = mesh.createEngine(seed, log).input({ type: 'start' })
    const rounds = effects.flatMap((effect) => (effect.type === 'round' ? [effect.round] : []))
    const timers = effects.flatMap((effect) => (effect.type === 'timeout' ? [effect.timeout.round] : []))
    expect(rounds).to.deep.equal([1])
    expect(new Set(timers)).to.deep.equal(new Set([1]))
    mesh.free()
  })

  it('with a log that is none of this height is no start', () => {
    const mesh = new BftMesh(bft)
    const { validators, height } = mesh
    const record = encodeMessage(mesh.vote(0, { height: height + 1 }))
    for (const log of [[record], [Uint8Array.of(17, 1)], [new Uint8Array(0)]]) {
      const start = () => bft({ mesh: MESH, height, validators, seed: mesh.members[0]!.seed, log }, HOST)
      expect(start).to.throw(EngineRefusal).with.property('code', 'E_BFT_INPUT')
    }
    mesh.free()
  })
})

/** The proposals among them. */
const said = (effects: readonly EngineEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'publish' && effect.bytes[0] === 2 ? [hex(effect.bytes)] : []))
