import { expect } from 'chai'
import type { CellRecord } from '../../../node/network/cell-record.ts'
import type { Membership } from '../../../node/network/membership.ts'
import {
  certificateCodec,
  issueTicket,
  joinHost,
  parseTicket,
  type Certificate,
  type Right,
  type Role,
  type Ticket,
} from '../../../protocols/admission/index.ts'
import { certify, codeThrownBy, identity, membership, mesh, NOW, redeem, type Identity, type Mesh } from './fixtures.ts'
import { ticketCodec } from '../../../protocols/admission/codec.ts'

/** What the nodes of a cell have agreed on, as the state machine has it: the first certificate for a ticket and key counts. */
class AgreedCell implements CellRecord {
  readonly certificates = new Map<string, Certificate>()
  readonly revoked = new Set<string>()
  readonly #redeemed = new Map<string, Certificate>()

  isRevoked(peerId: string): boolean {
    return this.revoked.has(peerId)
  }

  certificateOf(peerId: string): Certificate | undefined {
    return this.certificates.get(peerId)
  }

  isCommitted(): boolean {
    return true
  }

  async issue({ nonce }: Ticket, certificate: Certificate): Promise<Certificate> {
    const key = `${Buffer.from(nonce).toString('hex')} ${certificate.subject}`
    const first = this.#redeemed.get(key) ?? certificate
    this.#redeemed.set(key, first)
    this.certificates.set(certificate.subject, first)
    return first
  }
}

describe('admission: tickets of a cell of several nodes', () => {
  let m: Mesh
  let cell: AgreedCell
  let joiner: Identity
  /** The founder, whom it has certified, and whom that one has certified. */
  let nodes: { alpha: Membership; second: Membership; third: Membership }
  let keys: { second: Identity; third: Identity }

  const node = async (who: Identity, chain: Certificate[]): Promise<Membership> => {
    const made = membership(m, who, { chain, cell: Promise.resolve(cell) })
    await Promise.resolve()
    return made
  }
  const certified = async (issuer: Identity, who: Identity, rights: Right[]): Promise<Certificate> => {
    const certificate = await certify(m, issuer, who, { rights })
    cell.certificates.set(who.id, certificate)
    return certificate
  }
  const ticketOf = async (issuer: Membership): Promise<Ticket> =>
    parseTicket((await issuer.invite({ role: 'light', addresses: [] })).ticket)
  const redeemAt = async (at: Membership, ticket: Ticket) =>
    (await redeem(m, at, joiner, ticketCodec.encode(ticket))).welcome!.certificate

  beforeEach(async () => {
    m = await mesh()
    cell = new AgreedCell()
    joiner = await identity()
    keys = { second: await identity(), third: await identity() }
    const second = await certified(m.alpha, keys.second, ['issue'])
    const third = await certified(keys.second, keys.third, ['issue'])
    nodes = {
      alpha: await node(m.alpha, []),
      second: await node(keys.second, [second]),
      third: await node(keys.third, [second, third]),
    }
  })

  it('give the same key the same certificate at all of them, under a chain that everybody believes', async () => {
    for (const issuer of Object.values(nodes)) {
      joiner = await identity()
      const ticket = await ticketOf(issuer)
      const issued: Uint8Array[] = []
      for (const at of [nodes.third, nodes.alpha, nodes.second]) {
        const chain = await redeemAt(at, ticket)
        issued.push(certificateCodec.encode(chain.at(-1)!))
        const beta = membership(m, m.beta)
        const { member } = await beta.host.admit(joiner.peerId, { ...nodes.alpha.host.hello(), chain })
        expect(member).to.include({ peerId: joiner.id, cell: 'alpha', role: 'light' })
      }
      expect(issued[1]).to.deep.equal(issued[0])
      expect(issued[2]).to.deep.equal(issued[0])
    }
  })

  it('are believed by the joiner, whoever of them answers', async () => {
    const ticket = await ticketOf(nodes.third)
    for (const [who, at] of [
      [keys.second, nodes.second],
      [m.alpha, nodes.alpha],
    ] as const) {
      const { host, joined } = joinHost({ ticket, self: joiner.peerId, name: 'leaf', now: () => NOW })
      const { welcome } = await at.host.admit(joiner.peerId, host.hello())
      host.accepted(who.peerId, await host.admit(who.peerId, { ...at.host.hello(), welcome: welcome! }))
      expect(joined()!.chain.at(-1)!.subject).to.equal(joiner.id)
    }
  })

  it('are not taken by a node that may not give the same: E_TICKET_NOT_ISSUER', async () => {
    const who = await identity()
    const without = await node(who, [await certified(m.alpha, who, [])])
    const ticket = await ticketOf(nodes.alpha)
    expect(await codeThrownBy(() => redeemAt(without, ticket))).to.equal('E_TICKET_NOT_ISSUER')
  })

  it('give no more than their issuer may, whoever is asked: E_TICKET_RIGHTS', async () => {
    const who = await identity()
    const without = await certified(m.alpha, who, [])
    const modest = await ticketOf(nodes.alpha)
    const grants: Partial<Ticket>[] = [
      { role: 'light' },
      { role: 'full', rights: ['issue'] },
      { role: 'full', rights: ['issue', 'found'], cell: 'gamma' },
    ]
    for (const grant of grants) {
      const { signature: _, ...body } = modest
      const ticket = await issueTicket(who.key, { ...body, ...grant, issuer: who.id, chain: [without] })
      expect(await codeThrownBy(() => redeemAt(nodes.alpha, ticket))).to.equal('E_TICKET_RIGHTS')
    }
  })

  it('are for no longer than a ticket may be: E_TICKET_RIGHTS', async () => {
    const { signature: _, ...body } = await ticketOf(nodes.second)
    const ticket = await issueTicket(keys.second.key, { ...body, expires: NOW + 40 * 86_400_000 })
    for (const at of [nodes.second, nodes.alpha])
      expect(await codeThrownBy(() => redeemAt(at, ticket))).to.equal('E_TICKET_RIGHTS')
  })

  it('end with the membership of their issuer, also where that is not known yet: E_TICKET_RIGHTS', async () => {
    const ticket = await ticketOf(nodes.second)
    cell.revoked.add(keys.second.id)
    expect(await codeThrownBy(() => redeemAt(nodes.alpha, ticket))).to.equal('E_TICKET_RIGHTS')
    const coming = Promise.withResolvers<CellRecord>()
    const starting = membership(m, m.alpha, { cell: coming.promise })
    const redeemed = codeThrownBy(() => redeemAt(starting, ticket))
    await new Promise(setImmediate)
    coming.resolve(cell)
    expect(await redeemed).to.equal('E_TICKET_RIGHTS')
  })

  it('that were redeemed at a node which is put out since give nothing more: E_CERT_REVOKED', async () => {
    const ticket = await ticketOf(nodes.alpha)
    await redeemAt(nodes.second, ticket)
    cell.revoked.add(keys.second.id)
    expect(await codeThrownBy(() => redeemAt(nodes.alpha, ticket))).to.equal('E_CERT_REVOKED')
  })

  it('wait for better times where who has issued is not known: E_ADMISSION_UNAVAILABLE', async () => {
    const ticket = await ticketOf(nodes.alpha)
    await redeemAt(nodes.third, ticket)
    cell.certificates.delete(keys.third.id)
    expect(await codeThrownBy(() => redeemAt(nodes.alpha, ticket))).to.equal('E_ADMISSION_UNAVAILABLE')
  })

  it('give the joiner what they say, or it does not join: E_ADMISSION_MALFORMED', async () => {
    const ticket = await ticketOf(nodes.alpha)
    for (const [role, rights] of [
      ['full', []],
      ['witness', []],
      ['full', ['issue']],
    ] as [Role, Right[]][]) {
      const { host } = joinHost({ ticket, self: joiner.peerId, name: 'leaf', now: () => NOW })
      const certificate = [await certify(m, m.alpha, joiner, { role, rights })]
      const hello = { ...nodes.alpha.host.hello(), welcome: { certificate, genesis: m.genesis } }
      expect(await codeThrownBy(() => host.admit(m.alpha.peerId, hello))).to.equal('E_ADMISSION_MALFORMED')
    }
  })
})
