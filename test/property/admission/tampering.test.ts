import { expect } from 'chai'
import * as fc from 'fast-check'
import {
  admissionCodecs,
  certificateCodec,
  checkChain,
  createGenesis,
  formatTicket,
  meshIdOf,
  parseGenesis,
  parseTicket,
  toleratedFaults,
} from '../../../protocols/admission/index.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { decodeTicket } from '../../../protocols/admission/ticket.ts'
import { ticketCodec } from '../../../protocols/admission/codec.ts'
import {
  certify,
  founderEntry,
  identity,
  membership,
  mesh,
  NOW,
  type Identity,
  type Mesh,
} from '../../unit/admission/fixtures.ts'

const RUNS = { numRuns: 2000 }

/** Another value for one byte. */
const change = (length: number) => fc.tuple(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }))

const changed = (bytes: Uint8Array, [at, mask]: [number, number]): Uint8Array => {
  const copy = bytes.slice()
  copy[at]! ^= mask
  return copy
}

/** @returns whether the run was refused with a code; anything but a CodedError fails the test */
const refuses = (run: () => unknown): boolean => {
  try {
    run()
    return false
  } catch (error) {
    expect(error).to.be.instanceOf(CodedError)
    return true
  }
}

describe('admission: tampering', () => {
  let m: Mesh
  let node: Identity
  let ticketText: string

  before(async () => {
    m = await mesh()
    node = await identity()
    const chain = [await certify(m, m.alpha, node, { rights: ['issue', 'found'] })]
    const issuer = membership(m, node, { chain })
    ticketText = (await issuer.invite({ role: 'full', rights: ['issue'], addresses: ['/ip4/192.0.2.1/tcp/1'] })).ticket
  })

  it('refuses a certificate with any one byte changed', async () => {
    const bytes = certificateCodec.encode(await certify(m, m.alpha, node, { rights: ['issue'], expires: NOW + 1 }))
    const check = (each: Uint8Array) => checkChain(m.genesis, [certificateCodec.decode(each)], node.peerId, NOW)
    expect(check(bytes).peerId).to.equal(node.id)
    fc.assert(
      fc.property(change(bytes.length), (each) => refuses(() => check(changed(bytes, each)))),
      RUNS,
    )
  })

  it('refuses the bytes of a ticket with any one byte changed', () => {
    const bytes = ticketCodec.encode(parseTicket(ticketText))
    fc.assert(
      fc.property(change(bytes.length), (each) => refuses(() => decodeTicket(changed(bytes, each)))),
      RUNS,
    )
  })

  it('refuses the text of a ticket with any one character changed', () => {
    const character = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))
    fc.assert(
      fc.property(fc.nat(ticketText.length - 1), character, (at, other) => {
        fc.pre(other !== ticketText[at])
        return refuses(() => parseTicket(ticketText.slice(0, at) + other + ticketText.slice(at + 1)))
      }),
      RUNS,
    )
  })

  it('throws nothing but coded errors at garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 512 }), fc.string(), fc.json(), (bytes, text, json) => {
        for (const codec of admissionCodecs) expect(refuses(() => codec.decode(bytes))).to.equal(true)
        expect(refuses(() => parseTicket(`kairos1${text}`))).to.equal(true)
        expect(refuses(() => parseGenesis(json))).to.equal(true)
      }),
    )
  })

  it('reads back every ticket that it writes', () => {
    const { signature, ...body } = parseTicket(ticketText)
    expect(formatTicket({ ...body, signature })).to.equal(ticketText)
  })

  it('writes a genesis that survives text, or refuses it, whatever the weights', async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => identity()))
    const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(weights, fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (values, omega) => {
        const founders = values.map((_, i) => founderEntry(people[i]!, `cell-${i}`))
        const operators = Object.fromEntries(values.map((weight, i) => [`cell-${i}`, { weight }]))
        const total = values.reduce((sum, value) => sum + value, 0)
        const make = () => createGenesis(founders, { name: 'm', created: NOW, omega, operators })
        const tooHeavy = values.length >= 4 && Math.max(...values) * 3 >= total
        if (tooHeavy) return refuses(make)
        const genesis = make()
        expect(toleratedFaults(genesis) > 0).to.equal(values.length >= 4)
        return meshIdOf(parseGenesis(JSON.stringify(genesis))) === meshIdOf(genesis)
      }),
    )
  })
})
