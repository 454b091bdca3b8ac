import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { type Bft, loadBft } from '../../../wasm/bft/load.ts'
import { decodeMessage, encodeMessage } from '../../../wasm/bft/messages.ts'
import { type BftMessage, type Engine, EngineRefusal, MAX_EXTENSION_BYTES } from '../../../wasm/bft/types.ts'
import { BftMesh, HEIGHT, hex, valueOf } from './bft-mesh.ts'

const MUTATIONS = 10_000
const fixtures = new URL('../../fixtures/', import.meta.url)
const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, fixtures), 'utf8')) as T

/** What the engines of two runs said, a message of each kind among it. */
function saidIn(bft: Bft): Uint8Array[] {
  const [heard, lost] = [new BftMesh(bft), new BftMesh(bft)]
  lost.carries = (_from, _to, { type, round }) => type !== 'proposal' || round > 0
  const all = [heard, lost].flatMap((mesh) => {
    mesh.start()
    mesh.decide()
    const signatures = [0, 1, 2].map((at) => mesh.vote(at))
    const polka = encodeMessage({ type: 'polka', height: HEIGHT, round: 0, value: valueOf(1), signatures })
    mesh.free()
    return [polka, ...mesh.members.flatMap(({ published }) => published)]
  })
  return [...new Map(all.map((bytes) => [hex(bytes), bytes])).values()]
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof EngineRefusal) return error.code
    throw error
  }
}

describe('wasm bft: messages', () => {
  let bft: Bft
  let said: Uint8Array[]
  let vote: BftMessage
  before(async () => {
    bft = await loadBft({ variant: 'tokens' })
    said = saidIn(bft)
    const mesh = new BftMesh(bft)
    vote = mesh.vote(0, { kind: 'precommit' })
    mesh.free()
  })

  it('what the engine says decodes in TypeScript, and encodes to the same bytes', () => {
    const kinds = said.map((bytes) => {
      const message = decodeMessage(bytes)
      expect(hex(encodeMessage(message))).to.equal(hex(bytes))
      return message.type
    })
    expect(new Set(kinds)).to.deep.equal(new Set(['vote', 'proposal', 'polka', 'round']))
  })

  it(`${MUTATIONS} that are damaged are refused by both in the same cases, and never trap`, () => {
    const mesh = new BftMesh(bft)
    mesh.begin()
    let random = 7
    const draw = (below: number) => (random = (random * 48_271) % 0x7fffffff) % below
    let decodable = 0
    for (let n = 0; n < MUTATIONS; n++) {
      let bytes = said[draw(said.length)]!.slice()
      for (let flips = draw(4); flips > 0; flips--) bytes[draw(bytes.length)] = draw(256)
      if (draw(4) === 0) bytes = bytes.slice(0, draw(bytes.length + 1))
      if (draw(16) === 0) bytes = Uint8Array.of(...bytes, 0)
      const code = codeOf(() => expect(hex(encodeMessage(decodeMessage(bytes)))).to.equal(hex(bytes)))
      const refused = codeOf(() => mesh.members[n % 4]!.engine.input({ type: 'message', bytes }))
      expect(refused === 'E_BFT_MESSAGE', hex(bytes)).to.equal(code === 'E_BFT_MESSAGE')
      decodable += Number(code === undefined)
    }
    expect(decodable).to.be.within(MUTATIONS / 10, MUTATIONS)
    mesh.free()
  })

  it('random bytes are refused', () => {
    const mesh = new BftMesh(bft)
    const engine: Engine = mesh.createEngine(mesh.members[0]!.seed)
    engine.input({ type: 'start' })
    for (let n = 0; n < 2000; n++) {
      const bytes = crypto.getRandomValues(new Uint8Array(n % 300))
      expect(codeOf(() => decodeMessage(bytes))).to.equal('E_BFT_MESSAGE')
      expect(codeOf(() => engine.input({ type: 'message', bytes }))).to.equal('E_BFT_MESSAGE')
    }
    engine.free()
    mesh.free()
  })

  it('what is out of range is neither written nor read', () => {
    const signature = new Uint8Array(64)
    const proposal: BftMessage = {
      type: 'proposal',
      height: 1,
      round: 2,
      polRound: 1,
      value: valueOf(1),
      validator: new Uint8Array(32),
      signature,
    }
    const many = Array.from({ length: 65 }, () => ({ validator: new Uint8Array(32), signature }))
    const bad: BftMessage[] = [
      { ...proposal, polRound: 2 },
      { ...proposal, polRound: -2 },
      { ...proposal, height: 2 ** 53 },
      { ...proposal, height: -1 },
      { ...proposal, round: 2 ** 31 - 1 },
      { ...proposal, value: valueOf(1).slice(1) },
      { ...proposal, signature: signature.slice(1) },
      { type: 'polka', height: 1, round: 0, value: valueOf(1), signatures: many },
      { ...vote, extension: { bytes: new Uint8Array(MAX_EXTENSION_BYTES + 1), signature } } as BftMessage,
    ]
    for (const message of bad) expect(() => encodeMessage(message)).to.throw(RangeError)
    const bytes = encodeMessage(proposal)
    // In its height, its round, and the round that it refers to.
    for (const [at, ...wrong] of [
      [1, 0xff],
      [9, 0x7f, 0xff, 0xff, 0xff],
      [13, 0x80],
      [16, 2],
    ] as const) {
      const damaged = bytes.slice()
      damaged.set(wrong, at)
      expect(
        codeOf(() => decodeMessage(damaged)),
        `byte ${at}`,
      ).to.equal('E_BFT_MESSAGE')
    }
  })
})

describe('wasm bft: signatures', () => {
  it('are strict: what papers and other libraries found at the edges is decided as RFC 8032 says it', async () => {
    const bft = await loadBft()
    type Edge = Record<'of' | 'key' | 'message' | 'signature', string> & { valid: boolean }
    const { vectors } = read<{ vectors: Edge[] }>('ed25519-strict.json')
    expect(vectors.filter(({ of }) => of.startsWith('speccheck'))).to.have.length.at.least(12)
    const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
    for (const { of, key, message, signature, valid } of vectors) {
      expect(bft.verify(bytes(key), bytes(message), bytes(signature)), of).to.equal(valid)
    }
  })

  it('of keys, seeds and signatures of another length there are none', async () => {
    const bft = await loadBft()
    const [seed, bytes] = [new Uint8Array(32), Uint8Array.of(1)]
    const [key, signature] = [bft.publicKey(seed), bft.sign(seed, bytes)]
    expect([key.length, signature.length, bft.verify(key, bytes, signature)]).to.deep.equal([32, 64, true])
    expect([bft.publicKey(bytes).length, bft.sign(bytes, bytes).length]).to.deep.equal([0, 0])
    expect(bft.verify(key.slice(1), bytes, signature) || bft.verify(key, bytes, signature.slice(1))).to.equal(false)
  })

  it('mean nothing in the module for simulations, where another key has another one', async () => {
    const bft = await loadBft({ variant: 'tokens' })
    const [one, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const bytes = Uint8Array.of(1, 2, 3)
    expect(bft.verify(bft.publicKey(one), bytes, bft.sign(one, bytes))).to.equal(true)
    expect(bft.verify(bft.publicKey(other), bytes, bft.sign(one, bytes))).to.equal(false)
    expect(bft.verify(bft.publicKey(one), bytes.slice(1), bft.sign(one, bytes))).to.equal(false)
  })
})

describe('wasm bft: who proposes', () => {
  it('is whom the vectors say, in the first round of every height', async () => {
    const bft = await loadBft({ variant: 'tokens' })
    type Vector = { powers: number[]; height: number; round: number; proposer: number }
    const vectors = read<Vector[]>('bft-proposers.json')
    expect(vectors).to.have.length.at.least(200)
    for (const { powers, height, proposer } of vectors.filter(({ round }) => round === 0)) {
      const mesh = new BftMesh(bft, { count: powers.length, powers, height })
      mesh.begin()
      expect(mesh.proposers[0]!.at).to.equal(proposer)
      mesh.free()
    }
  })
})
