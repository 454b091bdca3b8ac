import { decode, encode } from '@ipld/dag-cbor'
import { expect } from 'chai'
import {
  certificateCodec,
  issueTicket,
  joinHost,
  parseTicket,
  type Admission,
  type Hello,
} from '../../../protocols/admission/index.ts'
import { ticketCodec } from '../../../protocols/admission/codec.ts'
import type { Membership } from '../../../node/network/membership.ts'
import { MAX_REDEMPTIONS, REDEMPTION_GRACE_MS } from '../../../node/network/ticket-ledger.ts'
import {
  certify,
  codeThrownBy,
  identity,
  inviteBytes,
  membership,
  MemoryStore,
  mesh,
  NOW,
  redeem,
  type Identity,
  type Mesh,
} from './fixtures.ts'

const DAY_MS = 86_400_000
const withoutWelcome = ({ mesh, version, name, chain = [] }: Hello): Hello => ({ mesh, version, name, chain })
const bytesOf = ({ welcome }: Admission): Uint8Array => certificateCodec.encode(welcome!.certificate.at(-1)!)

describe('admission: tickets redeemed', () => {
  let m: Mesh
  let alpha: Membership
  let joiner: Identity

  beforeEach(async () => {
    m = await mesh()
    alpha = membership(m, m.alpha)
    joiner = await identity()
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
      const ticket = await inviteBytes(issuer)
      const first = bytesOf(await redeem(m, issuer, joiner, ticket))
      now += 2 * DAY_MS
      expect(bytesOf(await redeem(m, issuer, joiner, ticket))).to.deep.equal(first)
      const restarted = membership(m, m.alpha, { store, now: () => now })
      expect(bytesOf(await redeem(m, restarted, joiner, ticket))).to.deep.equal(first)
      expect(store.writes).to.equal(1)
    })

    it('refuses a second key, also after a restart: E_TICKET_USED', async () => {
      const store = new MemoryStore()
      const issuer = membership(m, m.alpha, { store })
      const ticket = await inviteBytes(issuer)
      await redeem(m, issuer, joiner, ticket)
      const other = await identity()
      expect(await codeThrownBy(() => redeem(m, issuer, other, ticket))).to.equal('E_TICKET_USED')
      const restarted = membership(m, m.alpha, { store })
      expect(await codeThrownBy(() => redeem(m, restarted, other, ticket))).to.equal('E_TICKET_USED')
    })

    it('gives exactly as many certificates as uses to keys that race', async () => {
      const ticket = await inviteBytes(alpha, { uses: 3 })
      const people = await Promise.all(Array.from({ length: 8 }, () => identity()))
      const codes = await Promise.all(people.map((who) => codeThrownBy(() => redeem(m, alpha, who, ticket))))
      expect(codes.filter((code) => code === 'none')).to.have.length(3)
      expect(codes.filter((code) => code === 'E_TICKET_USED')).to.have.length(5)
    })

    it('is durable before it answers', async () => {
      const durable = Promise.withResolvers<void>()
      const store = new MemoryStore()
      store.put = () => durable.promise
      const issuer = membership(m, m.alpha, { store })
      let answered = false
      const redeemed = redeem(m, issuer, joiner, await inviteBytes(issuer)).then(() => (answered = true))
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
      const ticket = await inviteBytes(issuer)
      for (const who of [joiner, await identity()]) {
        expect(await redeem(m, issuer, who, ticket).catch((error: unknown) => error)).to.equal(failure)
      }
      expect(told).to.deep.equal([failure])
    })

    it('refuses an expired ticket: E_TICKET_EXPIRED', async () => {
      let now = NOW
      const issuer = membership(m, m.alpha, { now: () => now })
      const ticket = await inviteBytes(issuer, { expiresInSeconds: 60 })
      now += 60_000
      expect(await codeThrownBy(() => redeem(m, issuer, joiner, ticket))).to.equal('E_TICKET_EXPIRED')
    })

    it('forgets redemptions after the grace, and does not revive them when the clock is set back', async () => {
      let now = NOW
      const issuer = membership(m, m.alpha, { now: () => now })
      const ticket = await inviteBytes(issuer)
      await redeem(m, issuer, joiner, ticket)
      now += DAY_MS + REDEMPTION_GRACE_MS
      expect(await codeThrownBy(() => redeem(m, issuer, joiner, ticket))).to.equal('E_TICKET_EXPIRED')
      await redeem(m, issuer, joiner, await inviteBytes(issuer))
      now = NOW
      expect(await codeThrownBy(async () => redeem(m, issuer, await identity(), ticket))).to.equal('E_TICKET_EXPIRED')
    })

    it('remembers a bounded number of redemptions: E_ADMISSION_UNAVAILABLE', async () => {
      const store = new MemoryStore()
      const full = membership(m, m.alpha, { store })
      const ticket = await inviteBytes(full, { uses: 2 })
      await redeem(m, full, joiner, ticket)
      const ledger = decode<{ forgotten: number; redemptions: object[] }>([...store.values.values()][0]!)
      const redemptions = Array.from({ length: MAX_REDEMPTIONS }, () => ({
        ...ledger.redemptions[0],
        ticket: new Uint8Array(16),
      }))
      store.values.set('admission/tickets', encode({ ...ledger, redemptions }))
      const restarted = membership(m, m.alpha, { store })
      expect(await codeThrownBy(() => redeem(m, restarted, joiner, ticket))).to.equal('E_ADMISSION_UNAVAILABLE')
    })

    it('refuses a ticket of another mesh: E_TICKET_MESH', async () => {
      const other = await mesh()
      const ticket = await inviteBytes(membership(other, other.alpha))
      expect(await codeThrownBy(() => redeem(m, alpha, joiner, ticket))).to.equal('E_TICKET_MESH')
    })

    it('refuses a ticket of another issuer: E_TICKET_NOT_ISSUER', async () => {
      const ticket = await inviteBytes(membership(m, m.beta))
      expect(await codeThrownBy(() => redeem(m, alpha, joiner, ticket))).to.equal('E_TICKET_NOT_ISSUER')
    })

    it('refuses an altered ticket: E_TICKET_ALTERED', async () => {
      const ticket = await inviteBytes(alpha)
      ticket[ticket.length - 5]! ^= 1
      expect(await codeThrownBy(() => redeem(m, alpha, joiner, ticket))).to.equal('E_TICKET_ALTERED')
    })

    describe('names', () => {
      let ticket: Uint8Array
      beforeEach(async () => {
        ticket = await inviteBytes(alpha, { uses: 3 })
      })

      for (const name of ['beta', 'BETA', 'ｂｅｔａ', ' beta '])
        it(`refuses the name ${JSON.stringify(name)} where a founder is called beta, burning no use: E_NAME_TAKEN`, async () => {
          const once = await inviteBytes(alpha)
          expect(await codeThrownBy(() => redeem(m, alpha, joiner, once, name))).to.equal('E_NAME_TAKEN')
          expect((await redeem(m, alpha, joiner, once, 'another')).member.name).to.equal('another')
        })

      it('refuses the name of a member that it has met', async () => {
        const member = {
          peerId: 'somebody',
          name: 'met',
          cell: 'beta',
          role: 'light' as const,
          rights: [],
        }
        alpha.host.accepted(joiner.peerId, { member })
        expect(await codeThrownBy(() => redeem(m, alpha, joiner, ticket, 'met'))).to.equal('E_NAME_TAKEN')
      })

      it('refuses the name of whom it has certified, also after a restart and to keys that race', async () => {
        const store = new MemoryStore()
        const people = await Promise.all([joiner, identity(), identity()])
        const redeemAll = () => {
          const issuer = membership(m, m.alpha, { store })
          return Promise.all(people.map((who) => codeThrownBy(() => redeem(m, issuer, who, ticket, 'leaf'))))
        }
        expect(await redeemAll()).to.deep.equal(['none', 'E_NAME_TAKEN', 'E_NAME_TAKEN'])
        expect(await redeemAll()).to.deep.equal(['none', 'E_NAME_TAKEN', 'E_NAME_TAKEN'])
      })

      it('lets a key keep its name with another ticket', async () => {
        const { member } = await redeem(m, alpha, joiner, ticket, 'leaf')
        alpha.host.accepted(joiner.peerId, { member })
        expect((await redeem(m, alpha, joiner, await inviteBytes(alpha), 'leaf')).member.name).to.equal('leaf')
      })
    })

    it('refuses a ticket of its own that gives more than it has: E_TICKET_RIGHTS', async () => {
      const chain = [await certify(m, m.alpha, joiner, { rights: ['issue'] })]
      const limited = membership(m, joiner, { chain })
      const { signature: _, ...modest } = parseTicket((await limited.invite({ role: 'full', addresses: [] })).ticket)
      const ticket = ticketCodec.encode(await issueTicket(joiner.key, { ...modest, rights: ['found'] }))
      expect(await codeThrownBy(async () => redeem(m, limited, await identity(), ticket))).to.equal('E_TICKET_RIGHTS')
    })
  })

  describe('join host', () => {
    const ask = async (change: (answer: Hello) => Hello, by = m.alpha): Promise<string> => {
      const { ticket } = await alpha.invite({ role: 'light', addresses: [] })
      const { host } = joinHost({ ticket: parseTicket(ticket), self: joiner.peerId, name: 'leaf', now: () => NOW })
      const { welcome } = await alpha.host.admit(joiner.peerId, host.hello())
      return codeThrownBy(() => host.admit(by.peerId, change({ ...alpha.host.hello(), welcome: welcome! })))
    }

    it('believes the issuer, and no node of another cell', async () => {
      expect(await ask((answer) => answer)).to.equal('none')
      expect(await ask((answer) => answer, m.beta)).to.equal('E_TICKET_NOT_ISSUER')
    })

    it("believes a full node of the issuer's cell, and none of another role", async () => {
      const other = await identity()
      for (const [role, expected] of [
        ['full', 'none'],
        ['light', 'E_TICKET_NOT_ISSUER'],
      ] as const) {
        const chain = [await certify(m, m.alpha, other, { role, rights: role === 'full' ? ['issue'] : [] })]
        expect(await ask((answer) => ({ ...answer, chain }), other)).to.equal(expected)
      }
    })

    it('refuses an answer without a certificate: E_ADMISSION_MALFORMED', async () => {
      expect(await ask(withoutWelcome)).to.equal('E_ADMISSION_MALFORMED')
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
})
