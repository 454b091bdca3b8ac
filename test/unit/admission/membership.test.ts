import { expect } from 'chai'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { meshIdOf, parseTicket, refuse } from '../../../protocols/admission/index.ts'
import { MAX_KNOWN_MEMBERS } from '../../../node/network/known-members.ts'
import type { Invitation, Membership } from '../../../node/network/membership.ts'
import {
  certify,
  codeThrownBy,
  helloOf,
  identity,
  inviteBytes,
  membership,
  mesh,
  NOW,
  redeem,
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
      expect(await codeThrownBy(() => inviteBytes(limited))).to.equal('none')
      expect(await codeThrownBy(() => inviteBytes(limited, { role: 'full', rights: ['found'] }))).to.equal(
        'E_TICKET_RIGHTS',
      )
      expect(await codeThrownBy(() => inviteBytes(limited, { cell: 'gamma' }))).to.equal('E_TICKET_RIGHTS')
      const powerless = membership(m, joiner, { chain: [await certify(m, m.alpha, joiner)] })
      expect(await codeThrownBy(() => inviteBytes(powerless))).to.equal('E_TICKET_RIGHTS')
      expect(await codeThrownBy(() => inviteBytes(alpha, { cell: 'beta' }))).to.equal('E_TICKET_RIGHTS')
      expect(await codeThrownBy(() => inviteBytes(alpha, { rights: ['issue'] }))).to.equal('E_TICKET_RIGHTS')
    })

    it('refuses an inviter whose certificates would be too deep: E_CERT_DEPTH', async () => {
      const people = [m.alpha, ...(await Promise.all([1, 2, 3].map(() => identity()))), joiner]
      const chain = await Promise.all(
        people.slice(1).map((subject, i) => certify(m, people[i]!, subject, { rights: ['issue'] })),
      )
      const deep = membership(m, joiner, { chain })
      expect(await codeThrownBy(() => inviteBytes(deep))).to.equal('E_CERT_DEPTH')
    })

    it('refuses an inviter whose own certificate has lapsed: E_CERT_EXPIRED', async () => {
      let now = NOW
      const chain = [await certify(m, m.alpha, joiner, { rights: ['issue'], expires: NOW + 10 })]
      const lapsing = membership(m, joiner, { chain, now: () => now })
      now += 10
      expect(await codeThrownBy(() => inviteBytes(lapsing))).to.equal('E_CERT_EXPIRED')
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
        expect(await codeThrownBy(() => inviteBytes(alpha, request))).to.equal('E_INVALID_INPUT')
      })
    }
  })

  describe('admit', () => {
    it('refuses another mesh: E_MESH_MISMATCH', async () => {
      const other = await mesh()
      const code = await codeThrownBy(() =>
        alpha.host.admit(m.beta.peerId, helloOf(m, { mesh: meshIdOf(other.genesis) })),
      )
      expect(code).to.equal('E_MESH_MISMATCH')
    })

    it('refuses another version, before anything else: E_VERSION_UNSUPPORTED', async () => {
      const code = await codeThrownBy(() => alpha.host.admit(m.beta.peerId, helloOf(m, { version: 2, mesh: 'x' })))
      expect(code).to.equal('E_VERSION_UNSUPPORTED')
    })

    it('refuses a stranger: E_CERT_MISSING', async () => {
      expect(await codeThrownBy(() => alpha.host.admit(joiner.peerId, helloOf(m)))).to.equal('E_CERT_MISSING')
    })

    it('refuses another key type, burning no use: E_KEY_WEAK', async () => {
      const ticket = await inviteBytes(alpha)
      const secp = peerIdFromPrivateKey(await generateKeyPair('secp256k1'))
      expect(await codeThrownBy(() => alpha.host.admit(secp, helloOf(m, { ticket })))).to.equal('E_KEY_WEAK')
      expect((await redeem(m, alpha, joiner, ticket)).member.role).to.equal('light')
    })
  })

  describe('members', () => {
    it('knows the founders, itself and whom it admitted', async () => {
      const { member } = await redeem(m, alpha, joiner, await inviteBytes(alpha))
      expect(alpha.member(joiner.peerId)).to.equal(undefined)
      alpha.host.accepted(joiner.peerId, { member })
      expect(alpha.member(joiner.peerId)).to.equal(member)
      expect(alpha.members().map(({ peerId }) => peerId)).to.have.members([m.alpha.id, m.beta.id, joiner.id])
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
