import { expect } from 'chai'
import { multiaddr } from '@multiformats/multiaddr'
import { formatTicket, issueTicket, meshIdOf, parseTicket, type Ticket } from '../../../protocols/admission/index.ts'
import { certify, codeThrownBy, identity, mesh, NOW, type Mesh } from './fixtures.ts'

describe('admission: ticket', () => {
  let m: Mesh

  before(async () => {
    m = await mesh()
  })

  const ticket = (body: Partial<Ticket> = {}): Promise<Ticket> =>
    issueTicket(m.alpha.key, {
      mesh: meshIdOf(m.genesis),
      issuer: m.alpha.id,
      cell: 'alpha',
      role: 'light',
      rights: [],
      expires: NOW + 1000,
      uses: 1,
      nonce: new Uint8Array(16).fill(7),
      addresses: ['/ip4/192.0.2.1/tcp/18789'],
      chain: [],
      ...body,
    })

  it('reads back what was written, blanks around it aside', async () => {
    const written = await ticket()
    const text = formatTicket(written)
    expect(text).to.match(/^kairos1[a-z2-7]+$/)
    expect(parseTicket(`\n  ${text} \n`)).to.deep.equal(written)
    expect(multiaddr(parseTicket(text).addresses[0]!).toString()).to.equal('/ip4/192.0.2.1/tcp/18789')
  })

  it('holds the longest chain and eight addresses', async () => {
    const certificate = await certify(m, m.alpha, m.beta, { name: '\u{1F30D}'.repeat(32), rights: ['issue', 'found'] })
    const address = `/dns6/${'a'.repeat(160)}.example/tcp/65535`
    const big = await ticket({ chain: [certificate, certificate, certificate], addresses: Array(8).fill(address) })
    expect(parseTicket(formatTicket(big))).to.deep.equal(big)
  })

  const altered: [string, (text: string) => string][] = [
    ['an empty text', () => ''],
    ['another prefix', (text) => text.replace('kairos1', 'kairos2')],
    ['capitals', (text) => text.toUpperCase()],
    ['a cut end', (text) => text.slice(0, -1)],
    ['one character more', (text) => `${text}a`],
    ['no base32', (text) => `${text.slice(0, -1)}!`],
    ['a text without end', (text) => text.repeat(100)],
  ]
  for (const [what, alter] of altered) {
    it(`refuses ${what}: E_TICKET_ALTERED`, async () => {
      const text = alter(formatTicket(await ticket()))
      expect(await codeThrownBy(() => parseTicket(text))).to.equal('E_TICKET_ALTERED')
    })
  }

  it('refuses a ticket signed by another key than its issuer: E_TICKET_ALTERED', async () => {
    const text = formatTicket(await ticket({ issuer: (await identity()).id }))
    expect(await codeThrownBy(() => parseTicket(text))).to.equal('E_TICKET_ALTERED')
  })
})
