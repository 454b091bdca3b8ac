import { expect } from 'chai'
import { type Bft, loadBft } from '../../../wasm/bft/load.ts'
import { decodeMessage } from '../../../wasm/bft/messages.ts'
import { extensionBytes, voteBytes } from '../../../wasm/bft/signed-bytes.ts'
import type { CommitCertificate, Vote } from '../../../wasm/bft/types.ts'
import { BftMesh, HEIGHT, hex, MESH, valueOf } from './bft-mesh.ts'

for (const variant of [undefined, 'tokens'] as const) {
  describe(`wasm bft${variant === undefined ? '' : ` (${variant})`}`, () => {
    let bft: Bft
    before(async () => {
      bft = await loadBft(variant === undefined ? {} : { variant })
    })

    function checks({ height, round, value, signatures }: CommitCertificate): void {
      expect(signatures.length).to.be.at.least(3)
      const keys = signatures.map(({ validator }) => hex(validator))
      expect(keys).to.deep.equal(keys.toSorted())
      for (const { validator, signature, extension } of signatures) {
        const vote = { kind: 'precommit', height, round, value, validator } as const
        expect(bft.verify(validator, voteBytes(MESH, vote), signature)).to.equal(true)
        expect(bft.verify(validator, extensionBytes(MESH, vote, extension!.bytes), extension!.signature)).to.equal(true)
      }
    }

    function agreed(mesh: BftMesh): CommitCertificate {
      const decisions = mesh.decide()
      expect(new Set(decisions.map(({ value }) => hex(value))), 'one value').to.have.property('size', 1)
      decisions.forEach(checks)
      mesh.free()
      return decisions[0]!
    }

    it('four validators decide twenty heights in round 0, with certificates that anybody can check', () => {
      for (let height = 1; height <= 20; height++) {
        const mesh = new BftMesh(bft, { height })
        mesh.start()
        expect(agreed(mesh)).to.include({ height, round: 0 })
      }
    })

    it('a silent proposer costs a round and no more', () => {
      const first = new BftMesh(bft)
      first.start()
      const mesh = new BftMesh(bft, { silent: [first.proposers[0]!.at] })
      mesh.start()
      expect(agreed(mesh).round).to.equal(1)
    })

    it('whoever hears nothing of a proposal votes for nothing, and the next round decides', () => {
      const mesh = new BftMesh(bft)
      mesh.carries = (_from, _to, message) => message.type !== 'proposal' || message.round > 0
      mesh.start()
      mesh.elapse('propose')
      const votes = mesh.members.map(({ published }) => published.map(decodeMessage).findLast(isPrevote))
      expect(votes.map((vote) => vote?.value === undefined)).to.deep.equal(
        mesh.members.map(({ at }) => at !== mesh.proposers[0]!.at),
      )
      expect(agreed(mesh).round).to.be.at.least(1)
    })

    it('who missed proposal and votes gets them again, and no round is lost', () => {
      const mesh = new BftMesh(bft)
      mesh.begin()
      const [deaf, mute] = [mesh.proposers[1]!.at, mesh.proposers[2]!.at]
      mesh.carries = (from, to) => from !== mute && to !== deaf
      mesh.settle()
      mesh.carries = () => true
      mesh.elapse('rebroadcast')
      expect(agreed(mesh).round).to.equal(0)
    })

    it('one alone decides at once; its certificate has its one signature', () => {
      const mesh = new BftMesh(bft, { count: 1 })
      mesh.start()
      const [{ decided }] = mesh.members as [(typeof mesh.members)[0]]
      expect(decided).to.deep.include({ height: HEIGHT, round: 0 })
      expect(decided!.signatures).to.have.length(1)
      mesh.free()
    })

    it('power counts, not heads: the one with more than two thirds decides alone', () => {
      const powers = [1, 1, 10, 1]
      const mesh = new BftMesh(bft, { powers, silent: [0, 1, 3] })
      mesh.start()
      expect(mesh.decide()).to.have.length(1)
      mesh.free()
    })

    it('what a quorum prevoted is proposed again, with the proof of it', () => {
      const mesh = new BftMesh(bft)
      mesh.begin()
      const [first, second, third, fourth] = mesh.proposers
      // The block reaches the first two only, and a third tells only the second that it prevoted it, too.
      const isKept = (at: number) => at === first!.at || at === second!.at
      mesh.carries = (_from, to, message) => {
        if (message.round > 0 || message.type === 'round') return true
        return message.type === 'proposal' ? isKept(to) : !isLock(message as Vote)
      }
      const isLock = ({ kind, value }: Vote) => kind === 'precommit' && value !== undefined
      mesh.settle()
      const { value } = decodeMessage(first!.published[0]!) as Vote
      mesh.say(second!, mesh.vote(third!.at, { value }))
      mesh.elapse('propose')
      for (const kind of ['prevote', 'precommit'] as const) mesh.elapse(kind)
      const said = second!.published.map(decodeMessage)
      const polka = said.find(({ type }) => type === 'polka')
      expect(polka).to.deep.include({ type: 'polka', height: HEIGHT, round: 0, value })
      expect(said.find(({ type, round }) => type === 'proposal' && round === 1)).to.deep.include({ polRound: 0, value })
      expect(second!.effects).to.deep.include({ type: 'restream', round: 1, validRound: 0, value })
      expect(
        fourth!.log.some((record) => record[0] === 3),
        'the proof is logged',
      ).to.equal(true)
      expect(hex(agreed(mesh).value)).to.equal(hex(value!))
    })

    it('two votes of one validator are told once, without what was said beside them, and change nothing', () => {
      const mesh = new BftMesh(bft)
      mesh.start()
      const [one, other] = [mesh.proposers[1]!, mesh.proposers[2]!]
      const values = [valueOf(70), valueOf(71), valueOf(70), undefined]
      for (const value of values) mesh.say(one, mesh.vote(other.at, { kind: 'precommit', round: 1, value }))
      expect(one.evidence).to.have.length(2)
      for (const evidence of one.evidence) {
        const { first, second } = evidence as { first: Vote; second: Vote }
        expect(first).to.deep.include({ type: 'vote', kind: 'precommit', round: 1, extension: undefined })
        expect(hex(first.validator)).to.equal(hex(second.validator))
        for (const vote of [first, second]) {
          expect(bft.verify(vote.validator, voteBytes(MESH, vote), vote.signature)).to.equal(true)
        }
      }
      agreed(mesh)
    })

    it('two proposals of one round are told once', () => {
      const mesh = new BftMesh(bft)
      mesh.start()
      const [proposer, one] = [mesh.proposers[0]!, mesh.proposers[1]!]
      for (const tag of [80, 81, 80]) mesh.say(one, mesh.proposal(proposer.at, { value: valueOf(tag) }))
      const kinds = one.evidence.map(({ type, first, second }) => [type, hex(first.value!) !== hex(second.value!)])
      expect(kinds).to.deep.include(['proposals', true])
      expect(new Set(one.evidence.map((each) => JSON.stringify(each))).size).to.equal(one.evidence.length)
      mesh.free()
    })

    it('whoever is no validator follows, decides and says nothing', () => {
      const mesh = new BftMesh(bft)
      const seed = new Uint8Array(32).fill(200)
      const listener = mesh.createEngine(seed)
      listener.input({ type: 'start' })
      mesh.start()
      const first = mesh.proposers[0]!
      const proposal = decodeMessage(first.published[0]!)
      const { round, value } = proposal as { round: number; value: Uint8Array }
      listener.input({ type: 'block', round, validRound: -1, proposer: first.key, value, valid: true })
      const all = mesh.members.flatMap(({ published }) => published)
      const effects = all.flatMap((bytes) => listener.input({ type: 'message', bytes }))
      expect(effects.filter(({ type }) => type === 'publish')).to.deep.equal([])
      expect(effects.filter(({ type }) => type === 'decide')).to.have.length(1)
      listener.free()
      mesh.free()
    })
  })
}

const isPrevote = (message: ReturnType<typeof decodeMessage>): message is Vote =>
  message.type === 'vote' && message.kind === 'prevote'
