import { expect } from 'chai'
import { type Bft, loadBft } from '../../../wasm/bft/load.ts'
import { encodeMessage } from '../../../wasm/bft/messages.ts'
import { voteBytes } from '../../../wasm/bft/signed-bytes.ts'
import {
  type BftMessage,
  type EngineInput,
  EngineRefusal,
  MAX_EXTENSION_BYTES,
  MAX_TOTAL_POWER,
  type PolkaCertificate,
  type RoundCertificate,
} from '../../../wasm/bft/types.ts'
import { BftMesh, HEIGHT, HOST, keysOf, MESH, valueOf } from './bft-mesh.ts'

const MAX_ROUND = 2 ** 31 - 2

describe('wasm bft: what is refused', () => {
  let bft: Bft
  let mesh: BftMesh
  before(async () => {
    bft = await loadBft()
  })
  beforeEach(() => {
    mesh = new BftMesh(bft)
    mesh.begin()
  })
  afterEach(() => {
    expect(mesh.decide(), 'and it goes on').to.have.length(4)
    mesh.free()
  })

  const hears = (message: BftMessage) => mesh.say(mesh.members[0]!, message)
  const given = (input: EngineInput) => {
    try {
      mesh.input(mesh.members[0]!, input)
      return undefined
    } catch (error) {
      if (error instanceof EngineRefusal) return error.code
      throw error
    }
  }
  const signatureOf = (bytes: Uint8Array) => bytes.with(5, bytes[5]! ^ 1)

  function polka(voters: readonly number[], fields: Partial<PolkaCertificate> = {}): PolkaCertificate {
    const [round, value] = [fields.round ?? 0, fields.value ?? valueOf(50)]
    const signatures = voters.map((at) => mesh.vote(at, { round, value }))
    return { type: 'polka', height: HEIGHT, round, value, signatures, ...fields }
  }

  function certificate(voters: readonly number[], fields: Partial<RoundCertificate> = {}): RoundCertificate {
    const round = fields.round ?? 1
    const kind = fields.cause === 'precommit' ? 'precommit' : 'prevote'
    const votes = voters.map((at) => mesh.vote(at, { kind, round, value: undefined }))
    return { type: 'round', height: HEIGHT, round, cause: 'skip', votes, ...fields }
  }

  it('E_BFT_HEIGHT: a message of another height', () => {
    for (const height of [HEIGHT - 1, HEIGHT + 1, 0, 2 ** 53 - 1]) {
      expect(hears(mesh.vote(1, { height }))).to.equal('E_BFT_HEIGHT')
      expect(hears({ ...polka([1, 2, 3]), height })).to.equal('E_BFT_HEIGHT')
    }
  })

  it('E_BFT_ROUND: more than ten rounds ahead', () => {
    const proposer = mesh.proposers[0]!.at
    expect(hears(mesh.vote(1, { round: 10, value: undefined }))).to.equal(undefined)
    for (const round of [11, MAX_ROUND]) {
      expect(hears(mesh.vote(1, { round, value: undefined }))).to.equal('E_BFT_ROUND')
      expect(hears(mesh.proposal(proposer, { round }))).to.equal('E_BFT_ROUND')
      const { key } = mesh.members[1]!
      const block = { type: 'block', round, validRound: -1, proposer: key, value: valueOf(1), valid: true } as const
      expect(given(block)).to.equal('E_BFT_ROUND')
    }
    expect(hears(certificate([1, 2], { round: MAX_ROUND }))).to.equal('E_BFT_ROUND')
    expect(hears(polka([1, 2, 3], { round: MAX_ROUND }))).to.equal('E_BFT_ROUND')
  })

  it('E_BFT_VALIDATOR: of nobody in the set, or a proposal of who does not propose', () => {
    const stranger = { key: bft.publicKey(new Uint8Array(32)), seed: new Uint8Array(32) }
    const vote = { ...mesh.vote(1), validator: stranger.key }
    const signed = { ...vote, signature: bft.sign(stranger.seed, voteBytes(MESH, vote)) }
    expect(hears(signed)).to.equal('E_BFT_VALIDATOR')
    expect(hears(mesh.proposal(mesh.proposers[1]!.at))).to.equal('E_BFT_VALIDATOR')
    const { signatures, ...rest } = polka([1, 2])
    expect(hears({ ...rest, signatures: [...signatures, signed] })).to.equal('E_BFT_VALIDATOR')
  })

  it('E_BFT_SIGNATURE: of a vote, a proposal, an extension, or made for something else', () => {
    const proposer = mesh.proposers[0]!.at
    const other = mesh.proposers[1]!.at
    const [vote, proposal] = [mesh.vote(other), mesh.proposal(proposer)]
    const listener = mesh.proposers[2]!
    const says = (message: BftMessage) => mesh.say(listener, message)
    expect(says({ ...vote, signature: signatureOf(vote.signature) })).to.equal('E_BFT_SIGNATURE')
    expect(says({ ...vote, kind: 'precommit', value: undefined })).to.equal('E_BFT_SIGNATURE')
    expect(says({ ...proposal, signature: signatureOf(proposal.signature) })).to.equal('E_BFT_SIGNATURE')
    expect(says({ ...proposal, value: valueOf(2) })).to.equal('E_BFT_SIGNATURE')
    const precommit = mesh.vote(other, { kind: 'precommit' })
    const extension = { ...precommit.extension!, bytes: Uint8Array.of(2) }
    expect(says({ ...precommit, extension })).to.equal('E_BFT_SIGNATURE')
    const elsewhere = mesh.vote(other, { kind: 'precommit', round: 1 }).extension
    expect(says({ ...precommit, extension: elsewhere })).to.equal('E_BFT_SIGNATURE')
  })

  it('E_BFT_SIGNATURE: one of its own, said to be of what it never said', () => {
    const own = mesh.proposers[1]!
    mesh.input(own, { type: 'timeout', timeout: { kind: 'propose', round: 0 } })
    const forged = { ...mesh.vote(own.at, { value: undefined }), value: valueOf(3) }
    expect(mesh.say(own, forged)).to.equal('E_BFT_SIGNATURE')
    expect(own.evidence).to.deep.equal([])
  })

  it('E_BFT_EXTENSION: missing, out of place, or not well formed', () => {
    const precommit = mesh.vote(1, { kind: 'precommit' })
    const { extension } = precommit
    expect(hears({ ...precommit, extension: undefined })).to.equal('E_BFT_EXTENSION')
    expect(hears({ ...mesh.vote(1), extension })).to.equal('E_BFT_EXTENSION')
    expect(hears({ ...mesh.vote(1, { kind: 'precommit', value: undefined }), extension })).to.equal('E_BFT_EXTENSION')
    const engine = mesh.createEngine(mesh.members[0]!.seed, [], { ...HOST, isExtension: () => false })
    engine.input({ type: 'start' })
    const hear = () => engine.input({ type: 'message', bytes: encodeMessage(precommit) })
    expect(hear).to.throw(EngineRefusal).with.property('code', 'E_BFT_EXTENSION')
  })

  it('E_BFT_CERTIFICATE: short of power, someone twice, an invalid signature, or votes of another kind', () => {
    const whole = polka([1, 2, 3])
    expect(hears(polka([1, 2]))).to.equal('E_BFT_CERTIFICATE')
    expect(hears(polka([]))).to.equal('E_BFT_CERTIFICATE')
    expect(hears(polka([1, 2, 2]))).to.equal('E_BFT_CERTIFICATE')
    expect(hears({ ...whole, value: valueOf(51) })).to.equal('E_BFT_CERTIFICATE')
    expect(hears(certificate([1]))).to.equal('E_BFT_CERTIFICATE')
    expect(hears(certificate([1, 1]))).to.equal('E_BFT_CERTIFICATE')
    expect(hears(certificate([1, 2], { cause: 'precommit' }))).to.equal('E_BFT_CERTIFICATE')
    expect(hears({ ...certificate([1, 2, 3]), cause: 'precommit' })).to.equal('E_BFT_CERTIFICATE')
    const [first, ...others] = certificate([1, 2, 3]).votes
    const forged = { ...first!, signature: signatureOf(first!.signature) }
    expect(hears({ ...certificate([]), votes: [forged, ...others] })).to.equal('E_BFT_CERTIFICATE')
  })

  it('E_BFT_CERTIFICATE: one of no use any more that accuses with an invalid signature', () => {
    expect(hears(mesh.vote(1, { value: valueOf(50) }))).to.equal(undefined)
    const [first, ...others] = certificate([1, 2], { round: 0 }).votes
    const forged = { ...first!, signature: signatureOf(first!.signature) }
    expect(hears({ ...certificate([], { round: 0 }), votes: [forged, ...others] })).to.equal('E_BFT_CERTIFICATE')
    expect(mesh.members[0]!.evidence).to.deep.equal([])
    expect(hears(certificate([1, 2], { round: 0 }))).to.equal(undefined)
    expect(mesh.members[0]!.evidence, 'a valid one is heard all the same').to.have.length(1)
  })

  it('a certificate that is whole carries to its round', () => {
    expect(hears(certificate([1, 2], { round: 50 }))).to.equal(undefined)
    expect(mesh.members[0]!.round).to.equal(50)
  })

  it('E_BFT_MESSAGE: bytes that are no message', () => {
    const hear = (bytes: Uint8Array) => mesh.hear(mesh.members[0]!, bytes)
    for (const bytes of [[], [0], [1], [9, 9], new Uint8Array(131_073).fill(1)]) {
      expect(hear(Uint8Array.from(bytes))).to.equal('E_BFT_MESSAGE')
    }
  })

  it('E_BFT_INPUT: what is out of range or out of place', () => {
    const { key } = mesh.members[1]!
    const block = { type: 'block', round: 0, validRound: -1, proposer: key, value: valueOf(1), valid: true } as const
    const notMine = mesh.proposers[0]!.at === 0 ? 1 : 0
    const inputs: EngineInput[] = [
      { type: 'start' },
      { type: 'propose', round: notMine, value: valueOf(1) },
      { type: 'propose', round: 400, value: valueOf(1) },
      { type: 'propose', round: -1, value: valueOf(1) },
      { type: 'propose', round: 0, value: new Uint8Array(35) },
      { ...block, value: new Uint8Array(37) },
      { ...block, proposer: new Uint8Array(31) },
      { ...block, validRound: 0 },
      { ...block, round: 2 ** 31 },
      { type: 'timeout', timeout: { kind: 'propose', round: 0.5 } },
      { type: 'timeout', timeout: { kind: 'propose', round: 2 ** 40 } },
      { type: 'message', bytes: new Uint8Array(1 << 18) },
    ]
    for (const input of inputs) expect(given(input), JSON.stringify(input)).to.equal('E_BFT_INPUT')
    expect(given({ type: 'timeout', timeout: { kind: 'propose', round: 3 } }), 'late is no fault').to.equal(undefined)
  })

  it('E_BFT_INPUT: a start that is none', () => {
    const { validators } = mesh
    const good = { mesh: MESH, height: HEIGHT, validators, seed: new Uint8Array(32), log: [] }
    const many = keysOf(bft, 65).map(({ key }) => ({ key, power: 1 }))
    const bad = [
      { mesh: new Uint8Array(35) },
      { height: 0 },
      { height: 1.5 },
      { seed: new Uint8Array(31) },
      { validators: [] },
      { validators: validators.toReversed() },
      { validators: [validators[0]!, validators[0]!] },
      { validators: many },
      { validators: validators.map(({ key }) => ({ key, power: 0 })) },
      { validators: validators.map(({ key }) => ({ key, power: MAX_TOTAL_POWER / 4 })) },
      { validators: validators.map(({ key }) => ({ key: key.slice(1), power: 1 })) },
    ]
    for (const fields of bad) {
      const start = () => bft({ ...good, ...fields }, HOST)
      expect(start, JSON.stringify(Object.keys(fields)))
        .to.throw(EngineRefusal)
        .with.property('code', 'E_BFT_INPUT')
    }
    bft({ ...good, validators: many.slice(0, 64) }, HOST).free()
  })

  it('nothing before the start', () => {
    const engine = mesh.createEngine(mesh.members[0]!.seed)
    const early = () => engine.input({ type: 'timeout', timeout: { kind: 'propose', round: 0 } })
    expect(early).to.throw(EngineRefusal).with.property('code', 'E_BFT_INPUT')
    engine.free()
  })

  it('the longest extension is none of them', () => {
    const host = { ...HOST, extension: () => new Uint8Array(MAX_EXTENSION_BYTES).fill(1) }
    const large = new BftMesh(bft, { host })
    large.start()
    const [certificateOfAll] = large.decide()
    for (const { extension } of certificateOfAll!.signatures) {
      expect(extension!.bytes).to.have.length(MAX_EXTENSION_BYTES)
    }
    large.restart(large.members[0]!)
    large.free()
  })
})
