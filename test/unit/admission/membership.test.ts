import { expect } from 'chai'
import { decode, encode } from '@ipld/dag-cbor'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  ADMISSION_VERSION,
  certificateCodec,
  issueTicket,
  joinHost,
  meshIdOf,
  parseTicket,
  refuse,
  type Admission,
  type Hello,
} from '../../../protocols/admission/index.ts'
import { ticketCodec } from '../../../protocols/admission/codec.ts'
import type { Invitation, Membership } from '../../../node/network/membership.ts'
import { MAX_KNOWN_MEMBERS } from '../../../node/network/known-members.ts'
import { MAX_REDEMPTIONS, REDEMPTION_GRACE_MS } from '../../../node/network/ticket-ledger.ts'
import {
  certify,
  codeThrownBy,
  identity,
  membership,
  MemoryStore,
  mesh,
  NOW,
  type Identity,
  type Mesh,
} from './fixtures.ts'

const DAY_MS = 86_400_000

describe('admission: membership', () => {
  let m: Mesh
  let alpha: Membership
  let joiner: Identity

  beforeEach(async () => {
    m = await mesh()
    alpha = membership(m, m.alpha)
    joiner = await identity()
  })

  const hello = (change: Partial<Hello> = {}): Hello => ({
    mesh: meshIdOf(m.genesis),
    version: ADMISSION_VERSION,
    name: 'joiner',
    ...change,
  })
  const invite = async (issuer = alpha, request: Partial<Invitation> = {}): Promise<Uint8Array> => {
    const { ticket } = await issuer.invite({ role: 'light', addresses: [], ...request })
    return ticketCodec.encode(parseTicket(ticket))
  }
  const redeem = (issuer: Membership, who: Identity, ticket: Uint8Array): Promise<Admission> =>
    issuer.host.admit(who.peerId, hello({ ticket }))
  const bytesOf = ({ welcome }: Admission): Uint8Array => certificateCodec.encode(welcome!.certificate.at(-1)!)

  describe('invite', () => {
    it('gives a light node of the own cell for a day and one use unless told', async () => {
      const document = await alpha.invite({ role: 'light', addresses: ['/ip4/192.0.2.1/tcp/1'] })
      expect(document).to.deep.include({ meshId: alpha.meshId, cell: 'alpha', role: 'light', rights: [], uses: 1 })
      expect(document.expires).to.equal(new Date(NOW + DAY_MS).toISOString())
      const { addresses, issuer } = parseTicket(document.ticket)
      expect({ addresses, issuer }).to.deep.equal({ addresses: ['/ip4/192.0.2.1/tcp/1'], issuer: m.alpha.id })
    })

    it('names at most eight addresses', async () => {
      const addresses = Array.from({ length: 20 }, (_, i) => `/ip4/192.0.2.${i}/tcp/1`)
      const { ticket } = await alpha.invite({ role: 'light', addresses })
      expect(parseTicket(ticket).addresses).to.deep.equal(addresses.slice(0, 8))
    })

    it('refuses what the inviter lacks: E_TICKET_RIGHTS', async () => {
      const limited = membership(m, joiner, { chain: [await certify(m, m.alpha, joiner, { rights: ['issue'] })] })
      expect(await codeThrownBy(() => invite(limited))).to.equal('none')
      expect(await codeThrownBy(() => invite(limited, { role: 'full', rights: ['found'] }))).to.equal('E_TICKET_RIGHTS')
      expect(await codeThrownBy(() => invite(limited, { cell: 'gamma' }))).to.equal('E_TICKET_RIGHTS')
      const powerless = membership(m, joiner, { chain: [await certify(m, m.alpha, joiner)] })
      expect(await codeThrownBy(() => invite(powerless))).to.equal('E_TICKET_RIGHTS')
      expect(await codeThrownBy(() => invite(alpha, { cell: 'beta' }))).to.equal('E_TICKET_RIGHTS')
      expect(await codeThrownBy(() => invite(alpha, { rights: ['issue'] }))).to.equal('E_TICKET_RIGHTS')
    })

    it('refuses an inviter whose certificates would be too deep: E_CERT_DEPTH', async () => {
      const people = [m.alpha, ...(await Promise.all([1, 2, 3].map(() => identity()))), joiner]
      const chain = await Promise.all(
        people.slice(1).map((subject, i) => certify(m, people[i]!, subject, { rights: ['issue'] })),
      )
      const deep = membership(m, joiner, { chain })
      expect(await codeThrownBy(() => invite(deep))).to.equal('E_CERT_DEPTH')
    })

    it('refuses an inviter whose own certificate has lapsed: E_CERT_EXPIRED', async () => {
      let now = NOW
      const chain = [await certify(m, m.alpha, joiner, { rights: ['issue'], expires: NOW + 10 })]
      const lapsing = membership(m, joiner, { chain, now: () => now })
      now += 10
      expect(await codeThrownBy(() => invite(lapsing))).to.equal('E_CERT_EXPIRED')
    })

    const bad: Partial<Invitation>[] = [
      { uses: 0 },
      { uses: 1.5 },
      { uses: 1000 },
      { expiresInSeconds: 0 },
      { expiresInSeconds: 31 * 86_400 },
      { cell: 'No Cell', role: 'full' },
      { addresses: ['x'.repeat(500)] },
    ]
    for (const request of bad) {
      it(`refuses ${JSON.stringify(request).slice(0, 40)}: E_INVALID_INPUT`, async () => {
        expect(await codeThrownBy(() => invite(alpha, request))).to.equal('E_INVALID_INPUT')
      })
    }
  })

  describe('admit', () => {
    it('refuses another mesh: E_MESH_MISMATCH', async () => {
      const other = await mesh()
      const code = await codeThrownBy(() => alpha.host.admit(m.beta.peerId, hello({ mesh: meshIdOf(other.genesis) })))
      expect(code).to.equal('E_MESH_MISMATCH')
    })

    it('refuses another version, before anything else: E_VERSION_UNSUPPORTED', async () => {
      const code = await codeThrownBy(() => alpha.host.admit(m.beta.peerId, hello({ version: 2, mesh: 'x' })))
      expect(code).to.equal('E_VERSION_UNSUPPORTED')
    })

    it('refuses a stranger: E_CERT_MISSING', async () => {
      expect(await codeThrownBy(() => alpha.host.admit(joiner.peerId, hello()))).to.equal('E_CERT_MISSING')
    })

    it('refuses another key type, burning no use: E_KEY_WEAK', async () => {
      const ticket = await invite()
      const secp = peerIdFromPrivateKey(await generateKeyPair('secp256k1'))
      expect(await codeThrownBy(() => alpha.host.admit(secp, hello({ ticket })))).to.equal('E_KEY_WEAK')
      expect((await redeem(alpha, joiner, ticket)).member.role).to.equal('light')
    })
  })

  describe('redeem', () => {
    it('gives a chain that the joiner and every member believe', async () => {
      const { ticket } = await alpha.invite({ role: 'light', addresses: [] })
      const { host, joined } = joinHost({
        ticket: parseTicket(ticket),
        self: joiner.peerId,
        name: 'leaf',
        now: () => NOW,
      })
      const admission = await alpha.host.admit(joiner.peerId, host.hello())
      const answer = { ...alpha.host.hello(), welcome: admission.welcome! }
      const issuer = await host.admit(m.alpha.peerId, answer)
      expect(joined()).to.equal(undefined)
      host.accepted(m.alpha.peerId, issuer)
      const light = membership(joined()!, joiner, { chain: joined()!.chain })
      expect(light.self).to.deep.equal({ peerId: joiner.id, name: 'leaf', cell: 'alpha', role: 'light', rights: [] })
      const beta = membership(m, m.beta)
      expect((await beta.host.admit(joiner.peerId, light.host.hello())).member).to.deep.equal(light.self)
    })

    it('gives the same key the same bytes, also after a restart and after the end of the ticket', async () => {
      let now = NOW
      const store = new MemoryStore()
      const issuer = membership(m, m.alpha, { store, now: () => now })
      const ticket = await invite(issuer)
      const first = bytesOf(await redeem(issuer, joiner, ticket))
      now += 2 * DAY_MS
      expect(bytesOf(await redeem(issuer, joiner, ticket))).to.deep.equal(first)
      const restarted = membership(m, m.alpha, { store, now: () => now })
      expect(bytesOf(await redeem(restarted, joiner, ticket))).to.deep.equal(first)
      expect(store.writes).to.equal(1)
    })

    it('refuses a second key, also after a restart: E_TICKET_USED', async () => {
      const store = new MemoryStore()
      const issuer = membership(m, m.alpha, { store })
      const ticket = await invite(issuer)
      await redeem(issuer, joiner, ticket)
      const other = await identity()
      expect(await codeThrownBy(() => redeem(issuer, other, ticket))).to.equal('E_TICKET_USED')
      const restarted = membership(m, m.alpha, { store })
      expect(await codeThrownBy(() => redeem(restarted, other, ticket))).to.equal('E_TICKET_USED')
    })

    it('gives exactly as many certificates as uses to keys that race', async () => {
      const ticket = await invite(alpha, { uses: 3 })
      const people = await Promise.all(Array.from({ length: 8 }, () => identity()))
      const codes = await Promise.all(people.map((who) => codeThrownBy(() => redeem(alpha, who, ticket))))
      expect(codes.filter((code) => code === 'none')).to.have.length(3)
      expect(codes.filter((code) => code === 'E_TICKET_USED')).to.have.length(5)
    })

    it('is durable before it answers', async () => {
      const durable = Promise.withResolvers<void>()
      const store = new MemoryStore()
      store.put = () => durable.promise
      const issuer = membership(m, m.alpha, { store })
      let answered = false
      const redeemed = redeem(issuer, joiner, await invite(issuer)).then(() => (answered = true))
      await new Promise((resolve) => setImmediate(resolve))
      expect(answered).to.equal(false)
      durable.resolve()
      expect(await redeemed).to.equal(true)
    })

    it('stops redeeming and tells the node when a write fails', async () => {
      const store = new MemoryStore()
      const failure = new Error('disk full')
      store.put = () => Promise.reject(failure)
      const told: unknown[] = []
      const issuer = membership(m, m.alpha, { store, fatal: (error) => told.push(error) })
      const ticket = await invite(issuer)
      for (const who of [joiner, await identity()]) {
        expect(await redeem(issuer, who, ticket).catch((error: unknown) => error)).to.equal(failure)
      }
      expect(told).to.deep.equal([failure])
    })

    it('refuses an expired ticket: E_TICKET_EXPIRED', async () => {
      let now = NOW
      const issuer = membership(m, m.alpha, { now: () => now })
      const ticket = await invite(issuer, { expiresInSeconds: 60 })
      now += 60_000
      expect(await codeThrownBy(() => redeem(issuer, joiner, ticket))).to.equal('E_TICKET_EXPIRED')
    })

    it('forgets redemptions after the grace, and does not revive them when the clock is set back', async () => {
      let now = NOW
      const issuer = membership(m, m.alpha, { now: () => now })
      const ticket = await invite(issuer)
      await redeem(issuer, joiner, ticket)
      now += DAY_MS + REDEMPTION_GRACE_MS
      expect(await codeThrownBy(() => redeem(issuer, joiner, ticket))).to.equal('E_TICKET_EXPIRED')
      await redeem(issuer, joiner, await invite(issuer))
      now = NOW
      expect(await codeThrownBy(async () => redeem(issuer, await identity(), ticket))).to.equal('E_TICKET_EXPIRED')
    })

    it('remembers a bounded number of redemptions: E_ADMISSION_UNAVAILABLE', async () => {
      const store = new MemoryStore()
      const full = membership(m, m.alpha, { store })
      const ticket = await invite(full, { uses: 2 })
      await redeem(full, joiner, ticket)
      const ledger = decode<{ forgotten: number; redemptions: object[] }>([...store.values.values()][0]!)
      const redemptions = Array.from({ length: MAX_REDEMPTIONS }, () => ({
        ...ledger.redemptions[0],
        ticket: new Uint8Array(16),
      }))
      store.values.set('admission/tickets', encode({ ...ledger, redemptions }))
      const restarted = membership(m, m.alpha, { store })
      expect(await codeThrownBy(() => redeem(restarted, joiner, ticket))).to.equal('E_ADMISSION_UNAVAILABLE')
    })

    it('refuses a ticket of another mesh: E_TICKET_MESH', async () => {
      const other = await mesh()
      const ticket = await invite(membership(other, other.alpha))
      expect(await codeThrownBy(() => redeem(alpha, joiner, ticket))).to.equal('E_TICKET_MESH')
    })

    it('refuses a ticket of another issuer: E_TICKET_NOT_ISSUER', async () => {
      const ticket = await invite(membership(m, m.beta))
      expect(await codeThrownBy(() => redeem(alpha, joiner, ticket))).to.equal('E_TICKET_NOT_ISSUER')
    })

    it('refuses an altered ticket: E_TICKET_ALTERED', async () => {
      const ticket = await invite()
      ticket[ticket.length - 5]! ^= 1
      expect(await codeThrownBy(() => redeem(alpha, joiner, ticket))).to.equal('E_TICKET_ALTERED')
    })

    it('refuses a ticket of its own that gives more than it has: E_TICKET_RIGHTS', async () => {
      const chain = [await certify(m, m.alpha, joiner, { rights: ['issue'] })]
      const limited = membership(m, joiner, { chain })
      const { signature: _, ...modest } = parseTicket((await limited.invite({ role: 'full', addresses: [] })).ticket)
      const ticket = ticketCodec.encode(await issueTicket(joiner.key, { ...modest, rights: ['found'] }))
      expect(await codeThrownBy(async () => redeem(limited, await identity(), ticket))).to.equal('E_TICKET_RIGHTS')
    })
  })

  describe('join host', () => {
    const ask = async (change: (answer: Hello) => Hello, by = m.alpha): Promise<string> => {
      const { ticket } = await alpha.invite({ role: 'light', addresses: [] })
      const { host } = joinHost({ ticket: parseTicket(ticket), self: joiner.peerId, name: 'leaf', now: () => NOW })
      const { welcome } = await alpha.host.admit(joiner.peerId, host.hello())
      return codeThrownBy(() => host.admit(by.peerId, change({ ...alpha.host.hello(), welcome: welcome! })))
    }

    it('believes the issuer and no other node', async () => {
      expect(await ask((answer) => answer)).to.equal('none')
      expect(await ask((answer) => answer, m.beta)).to.equal('E_TICKET_NOT_ISSUER')
    })

    it('refuses an answer without a certificate: E_ADMISSION_MALFORMED', async () => {
      expect(await ask(({ welcome: _, ...answer }) => answer)).to.equal('E_ADMISSION_MALFORMED')
    })

    it('refuses a genesis that is not the one of the ticket: E_MESH_MISMATCH', async () => {
      const { genesis } = await mesh()
      const code = await ask((answer) => ({ ...answer, welcome: { ...answer.welcome!, genesis } }))
      expect(code).to.equal('E_MESH_MISMATCH')
    })

    it("refuses a certificate for somebody else's key: E_CERT_SUBJECT", async () => {
      const certificate = [await certify(m, m.alpha, await identity())]
      const code = await ask((answer) => ({ ...answer, welcome: { ...answer.welcome!, certificate } }))
      expect(code).to.equal('E_CERT_SUBJECT')
    })
  })

  describe('members', () => {
    it('knows the founders, itself and whom it admitted, and the weight of their cells', async () => {
      const { member } = await redeem(alpha, joiner, await invite())
      expect(alpha.member(joiner.peerId)).to.equal(undefined)
      alpha.host.accepted(joiner.peerId, { member })
      expect(alpha.member(joiner.peerId)).to.equal(member)
      expect(alpha.members().map(({ peerId }) => peerId)).to.have.members([m.alpha.id, m.beta.id, joiner.id])
      expect([alpha.weightOf('alpha'), alpha.weightOf('gamma')]).to.deep.equal([1, 0])
    })

    it('forgets a member when its certificate ends, and the oldest when there are too many', async () => {
      let now = NOW
      const node = membership(m, m.alpha, { now: () => now })
      const member = { peerId: joiner.id, name: 'x', cell: 'alpha', role: 'light' as const, rights: [] }
      node.host.accepted(joiner.peerId, { member, expires: NOW + 5 })
      expect(node.member(joiner.id)).to.equal(member)
      now += 5
      expect(node.member(joiner.id)).to.equal(undefined)
      for (let i = 0; i <= MAX_KNOWN_MEMBERS; i++) {
        node.host.accepted(joiner.peerId, { member: { ...member, peerId: `peer-${i}` } })
      }
      expect(node.members()).to.have.length(MAX_KNOWN_MEMBERS + 2)
      expect(node.member('peer-0')).to.equal(undefined)
      expect(node.member(m.beta.id)?.name).to.equal('beta')
    })

    it('tells of admissions and refusals', () => {
      const told: unknown[] = []
      alpha.addEventListener('admitted', ({ detail }) => told.push(detail.peerId))
      alpha.addEventListener('refused', ({ detail }) => told.push(detail.code))
      alpha.host.accepted(m.beta.peerId, { member: alpha.member(m.beta.id)! })
      alpha.host.refused({ code: refuse('E_CERT_MISSING').code, side: 'local', message: '' })
      expect(told).to.deep.equal([m.beta.id, 'E_CERT_MISSING'])
    })
  })
})
