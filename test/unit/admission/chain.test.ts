import { expect } from 'chai'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { checkChain, expiryOf, type Certificate, type CertificateBody } from '../../../protocols/admission/index.ts'
import { certify, codeThrownBy, identity, mesh, NOW, type Identity, type Mesh } from './fixtures.ts'

describe('admission: certificate chain', () => {
  let m: Mesh
  let node: Identity

  beforeEach(async () => {
    m = await mesh()
    node = await identity()
  })

  const check = (chain: Certificate[], subject = node) => checkChain(m.genesis, chain, subject.peerId, NOW)
  const codeOfOne = async (issuer: Identity, body: Partial<CertificateBody>): Promise<string> => {
    const certificate = await certify(m, issuer, node, body)
    return codeThrownBy(() => check([certificate]))
  }

  /** A chain from alpha through `length - 1` full nodes with both rights to `node`. */
  async function chainOf(length: number): Promise<Certificate[]> {
    const chain: Certificate[] = []
    let issuer = m.alpha
    for (let i = 1; i <= length; i++) {
      const subject = i === length ? node : await identity()
      chain.push(await certify(m, issuer, subject, { rights: ['issue', 'found'] }))
      issuer = subject
    }
    return chain
  }

  it('takes a founder for what genesis says, with no certificate', () => {
    expect(check([], m.alpha)).to.deep.include({
      name: 'alpha',
      cell: 'alpha',
      role: 'full',
      rights: ['issue', 'found'],
    })
  })

  it('takes a founder for what genesis says, whatever chain it shows', async () => {
    const certificate = await certify(m, m.alpha, m.beta, { role: 'relay', cell: 'alpha' })
    expect(check([certificate], m.beta)).to.deep.include({ cell: 'beta', role: 'full' })
  })

  it('takes a node for what its last certificate says', async () => {
    const certificate = await certify(m, m.alpha, node, { name: 'leaf', role: 'light' })
    expect(check([certificate])).to.deep.equal({
      peerId: node.id,
      name: 'leaf',
      cell: 'alpha',
      role: 'light',
      rights: [],
    })
  })

  it('accepts a chain of four and refuses one of five: E_CERT_DEPTH', async () => {
    const four = await chainOf(4)
    expect(check(four).rights).to.deep.equal(['issue', 'found'])
    const five = await chainOf(5)
    expect(await codeThrownBy(() => check(five))).to.equal('E_CERT_DEPTH')
  })

  it('refuses a stranger without a chain: E_CERT_MISSING', async () => {
    expect(await codeThrownBy(() => check([]))).to.equal('E_CERT_MISSING')
  })

  it('refuses a certificate of another mesh: E_MESH_MISMATCH', async () => {
    const other = await mesh()
    const certificate = await certify({ ...m, genesis: other.genesis }, m.alpha, node)
    expect(await codeThrownBy(() => check([certificate]))).to.equal('E_MESH_MISMATCH')
  })

  it('refuses a certificate from its end on: E_CERT_EXPIRED', async () => {
    expect(await codeOfOne(m.alpha, { expires: NOW + 1 })).to.equal('none')
    expect(await codeOfOne(m.alpha, { expires: NOW })).to.equal('E_CERT_EXPIRED')
  })

  it('refuses a chain whose upper certificate has expired: E_CERT_EXPIRED', async () => {
    const middle = await identity()
    const chain = [
      await certify(m, m.alpha, middle, { rights: ['issue'], expires: NOW - 1 }),
      await certify(m, middle, node),
    ]
    expect(await codeThrownBy(() => check(chain))).to.equal('E_CERT_EXPIRED')
    expect(expiryOf(chain)).to.equal(NOW - 1)
  })

  it('refuses a certificate that somebody else signed in the name of a founder: E_CERT_SIGNATURE', async () => {
    const forger = await identity()
    expect(await codeOfOne(forger, { issuer: m.alpha.id })).to.equal('E_CERT_SIGNATURE')
  })

  const changes: Partial<Certificate>[] = [
    { name: 'other' },
    { cell: 'gamma' },
    { role: 'witness' },
    { rights: ['issue'] },
    { issued: NOW + 1 },
    { expires: NOW + 1 },
  ]
  for (const change of changes) {
    it(`refuses a certificate whose ${Object.keys(change)[0]} was changed: E_CERT_SIGNATURE`, async () => {
      const certificate = { ...(await certify(m, m.alpha, node)), ...change }
      expect(await codeThrownBy(() => check([certificate]))).to.equal('E_CERT_SIGNATURE')
    })
  }

  it('refuses a chain that ends outside genesis: E_CERT_NOT_FROM_GENESIS', async () => {
    const stranger = await identity()
    expect(await codeOfOne(stranger, {})).to.equal('E_CERT_NOT_FROM_GENESIS')
  })

  it('refuses a chain with a missing link: E_CERT_NOT_FROM_GENESIS', async () => {
    const chain = await chainOf(3)
    const broken = [chain[0]!, chain[2]!]
    expect(await codeThrownBy(() => check(broken))).to.equal('E_CERT_NOT_FROM_GENESIS')
  })

  it('refuses a certificate for a cell of another operator: E_CERT_CROSSES_CELLS', async () => {
    expect(await codeOfOne(m.alpha, { cell: 'beta' })).to.equal('E_CERT_CROSSES_CELLS')
  })

  it('refuses a new cell by an issuer without the right to found: E_CERT_CROSSES_CELLS', async () => {
    const middle = await identity()
    const chain = [
      await certify(m, m.alpha, middle, { rights: ['issue'] }),
      await certify(m, middle, node, { cell: 'gamma' }),
    ]
    expect(await codeThrownBy(() => check(chain))).to.equal('E_CERT_CROSSES_CELLS')
  })

  it('accepts a new cell by an issuer with the right to found, first node full', async () => {
    expect(await codeOfOne(m.alpha, { cell: 'gamma', rights: ['issue', 'found'] })).to.equal('none')
    expect(await codeOfOne(m.alpha, { cell: 'gamma', role: 'light' })).to.equal('E_CERT_RIGHTS')
  })

  it('refuses a right that the issuer lacks: E_CERT_RIGHTS', async () => {
    const middle = await identity()
    const chain = [
      await certify(m, m.alpha, middle, { rights: ['issue'] }),
      await certify(m, middle, node, { rights: ['found'] }),
    ]
    expect(await codeThrownBy(() => check(chain))).to.equal('E_CERT_RIGHTS')
  })

  it('refuses an issuer without the right to issue: E_CERT_RIGHTS', async () => {
    const middle = await identity()
    const chain = [await certify(m, m.alpha, middle), await certify(m, middle, node)]
    expect(await codeThrownBy(() => check(chain))).to.equal('E_CERT_RIGHTS')
  })

  for (const role of ['light', 'witness', 'relay'] as const) {
    it(`refuses rights of a ${role} node, and any certificate by one: E_CERT_RIGHTS`, async () => {
      expect(await codeOfOne(m.alpha, { role, rights: ['issue'] })).to.equal('E_CERT_RIGHTS')
      const middle = await identity()
      const chain = [await certify(m, m.alpha, middle, { role }), await certify(m, middle, node, { role })]
      expect(await codeThrownBy(() => check(chain))).to.equal('E_CERT_RIGHTS')
    })
  }

  it("refuses somebody else's certificate: E_CERT_SUBJECT", async () => {
    const certificate = await certify(m, m.alpha, await identity())
    expect(await codeThrownBy(() => check([certificate]))).to.equal('E_CERT_SUBJECT')
  })

  it('refuses keys that are not ed25519, or small: E_KEY_WEAK', async () => {
    const secp = peerIdFromPrivateKey(await generateKeyPair('secp256k1'))
    expect(await codeThrownBy(() => checkChain(m.genesis, [], secp, NOW))).to.equal('E_KEY_WEAK')
    const small = peerIdFromString('12D3KooW9tGaPdJo5jmCpadQ971nfiq4kLcQjeBPYTfutBTtckPH')
    expect(await codeThrownBy(() => checkChain(m.genesis, [], small, NOW))).to.equal('E_KEY_WEAK')
    const chain = [await certify(m, m.alpha, node, { subject: small.toString() })]
    expect(await codeThrownBy(() => check(chain))).to.equal('E_KEY_WEAK')
  })
})
