import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { TypedEventEmitter, type Ed25519PrivateKey, type PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import {
  ADMISSION_VERSION,
  brokenBy,
  checkChain,
  checkVersion,
  decodeTicket,
  formatTicket,
  founderOf,
  foundersOf,
  issueCertificate,
  issueTicket,
  MAX_CHAIN_DEPTH,
  MAX_TICKET_ADDRESSES,
  MAX_TICKET_SECONDS,
  MAX_TICKET_USES,
  meshIdOf,
  optionalExpiry,
  parseGenesis,
  refuse,
  strictKeyOf,
  TICKET_NONCE_BYTES,
  type Admission,
  type AdmissionHost,
  type Certificate,
  type Genesis,
  type Grant,
  type Hello,
  type Member,
  type RefusalInfo,
  type Ticket,
} from '../../protocols/admission/index.ts'
import { messageOf } from '../../protocols/shared/errors.ts'
import type { InviteDocument, InviteRequest } from '../operations.ts'
import type { CellRecord } from './cell-record.ts'
import { chainTo } from './chain-to.ts'
import { folded, requireFree } from './free-name.ts'
import { readable, requireWhole } from './invitation.ts'
import { KnownMembers } from './known-members.ts'
import type { MeshRevocations, MeshView, Revoked } from './membership-revocations.ts'
import { TicketLedger, type LedgerStore } from './ticket-ledger.ts'

export interface MembershipInit {
  privateKey: Ed25519PrivateKey
  genesis: Genesis
  /** This node's own chain; empty for a founder. */
  chain: Certificate[]
  store: LedgerStore
  /** What this node calls itself in its hello; what others call it stands in genesis or its certificate. */
  name: string
  /** Unix milliseconds. */
  now?: () => number
  /** Told when the ticket ledger could not be written: the node must stop. */
  fatal?: (error: unknown) => void
  /** Of a full node: its cell decides who comes in, as soon as there is one. Without it this node decides alone. */
  cell?: Promise<CellRecord>
  /** Whom other cells have put out. Without it this node knows of its own cell's alone. */
  revocations?: MeshRevocations
}

export interface MembershipEvents {
  admitted: CustomEvent<{ peerId: string; member: Member }>
  refused: CustomEvent<RefusalInfo>
  /** The mesh's record has just told that a member was put out by its cell: hang up. */
  revoked: CustomEvent<Revoked>
}

/** Addresses under which this node can be dialled now. */
export type Invitation = InviteRequest & { addresses: string[] }

const DEFAULT_EXPIRY_SECONDS = 86_400
/** A node that has just started admits when it is part of its cell again; the handshake waits no longer. */
const CELL_WAIT_MS = 4_000
/** Its issuer's clock may be a little ahead. */
const MAX_AHEAD_MS = (MAX_TICKET_SECONDS + 86_400) * 1000

/** Who belongs to the mesh, as far as this node can prove it, and whom it brings in itself. */
export class Membership extends TypedEventEmitter<MembershipEvents> {
  readonly meshId: string
  readonly genesis: Genesis
  readonly self: Member
  readonly host: AdmissionHost
  readonly #key: Ed25519PrivateKey
  readonly #chain: Certificate[]
  readonly #name: string
  readonly #now: () => number
  readonly #ledger: TicketLedger
  readonly #cell: Promise<CellRecord> | undefined
  #record: CellRecord | undefined
  readonly #revocations: MeshRevocations | undefined
  readonly #fatal: (error: unknown) => void
  readonly #known: KnownMembers

  constructor(init: MembershipInit) {
    super()
    this.#key = init.privateKey
    this.#chain = init.chain
    this.#name = init.name
    this.#now = init.now ?? Date.now
    this.genesis = parseGenesis(init.genesis)
    this.meshId = meshIdOf(this.genesis)
    this.self = checkChain(this.genesis, init.chain, peerIdFromPrivateKey(init.privateKey), this.#now())
    this.#fatal = init.fatal ?? (() => undefined)
    this.#ledger = new TicketLedger(init.store, this.#fatal)
    this.#revocations = init.revocations
    this.#cell = init.cell
    this.#cell?.then((record) => (this.#record = record)).catch(() => undefined)
    this.#known = new KnownMembers([...foundersOf(this.genesis), this.self])
    this.host = {
      hello: () => this.#hello(),
      admit: (remote, hello) => this.#admit(remote, hello),
      accepted: (remote, { member, expires }) => {
        this.#known.add(member, expires)
        this.safeDispatchEvent('admitted', { detail: { peerId: remote.toString(), member } })
      },
      refused: (info) => {
        this.safeDispatchEvent('refused', { detail: info })
      },
    }
  }

  /** @returns the founder or admitted member with this id; undefined for strangers, expired and revoked ones */
  member(peerId: PeerId | string): Member | undefined {
    const known = this.#known.get(peerId.toString(), this.#now())
    return known === undefined || this.#isRevoked(known.peerId, known.cell) ? undefined : known
  }

  /** Founders and all members admitted so far that are still remembered, this node included. */
  members(): Member[] {
    return this.#known.all(this.#now()).filter(({ peerId, cell }) => !this.#isRevoked(peerId, cell))
  }

  /** Takes over what the mesh's record says of who was put out: at the start, and with each epoch. */
  noteRecord(record: MeshView): void {
    const { added, stored } = this.#revocations?.take(record) ?? { added: [], stored: Promise.resolve() }
    stored.catch(this.#fatal)
    for (const detail of added) {
      const { cell = detail.cell } = this.#known.get(detail.peerId, this.#now()) ?? {}
      if (cell === detail.cell) this.safeDispatchEvent('revoked', { detail })
    }
  }

  /**
   * Signs a ticket. Nothing is stored: uses are counted when it is redeemed.
   *
   * @throws {CodedError} E_TICKET_RIGHTS, E_CERT_DEPTH, E_INVALID_INPUT
   */
  async invite(request: Invitation): Promise<InviteDocument> {
    const { role, cell = this.self.cell, rights = [], uses = 1, addresses } = request
    const seconds = request.expiresInSeconds ?? DEFAULT_EXPIRY_SECONDS
    requireWhole('uses', uses, MAX_TICKET_USES)
    requireWhole('the expiry in seconds', seconds, MAX_TICKET_SECONDS)
    const grant = { cell, role, rights }
    this.#requireToGive(grant)
    const ticket = await issueTicket(this.#key, {
      mesh: this.meshId,
      issuer: this.self.peerId,
      ...grant,
      expires: this.#now() + seconds * 1000,
      uses,
      nonce: randomBytes(TICKET_NONCE_BYTES),
      addresses: addresses.slice(0, MAX_TICKET_ADDRESSES),
      chain: this.#chain,
    })
    const expires = new Date(ticket.expires).toISOString()
    return { ticket: readable(formatTicket(ticket)), meshId: this.meshId, ...grant, expires, uses }
  }

  #hello(): Hello {
    return { mesh: this.meshId, version: ADMISSION_VERSION, name: this.#name, chain: this.#chain }
  }

  /** Every check of spec.md, "What is checked", in its order. */
  async #admit(remote: PeerId, hello: Hello): Promise<Admission> {
    checkVersion(hello)
    const ticket = hello.ticket === undefined ? undefined : decodeTicket(hello.ticket)
    if (ticket !== undefined && ticket.mesh !== this.meshId) throw refuse('E_TICKET_MESH')
    if (hello.mesh !== this.meshId) throw refuse('E_MESH_MISMATCH')
    strictKeyOf(remote)
    const chain = hello.chain ?? []
    this.#requireStanding(remote.toString(), chain)
    if (ticket === undefined || founderOf(this.genesis, remote.toString()) !== undefined) {
      return { member: checkChain(this.genesis, chain, remote, this.#now()), ...optionalExpiry(chain) }
    }
    const issued = await this.#redeem(ticket, remote, hello.name)
    const certificate = [...this.#chainTo(issued.issuer, ticket), issued]
    const member = checkChain(this.genesis, certificate, remote, this.#now())
    return { member, ...optionalExpiry(certificate), welcome: { certificate, genesis: this.genesis } }
  }

  #requireStanding(peerId: string, chain: readonly Certificate[]): void {
    const cell = founderOf(this.genesis, peerId)?.cell ?? chain.at(-1)?.cell
    const isOut = this.#isRevoked(peerId, cell) || chain.some((_, at) => this.#isVoid(chain, at))
    if (isOut) throw refuse('E_CERT_REVOKED')
  }

  #isRevoked(peerId: string, cell: string | undefined): boolean {
    return this.#record?.isRevoked(peerId) === true || this.#revocations?.isRevoked(peerId, cell) === true
  }

  /**
   * What a revoked member issued counts only when the cell had committed it: the date in it proves nothing. What another
   * cell committed is not known here, so the mesh's record decides.
   */
  #isVoid(chain: readonly Certificate[], at: number): boolean {
    const certificate = chain[at]!
    const issuerCell = at === 0 ? founderOf(this.genesis, certificate.issuer)?.cell : chain[at - 1]!.cell
    const isDoubtful =
      this.#record?.isRevoked(certificate.issuer) === true ||
      this.#revocations?.isVoid(certificate, issuerCell) === true
    return isDoubtful && this.#record?.isCommitted(certificate) !== true
  }

  async #redeem(ticket: Ticket, remote: PeerId, name: string): Promise<Certificate> {
    const record = this.#cell && (await this.#recordSoon(this.#cell))
    this.#requireIssuer(ticket)
    const { cell, role, rights } = ticket
    this.#requireToGive({ cell, role, rights })
    const subject = remote.toString()
    const now = this.#now()
    if (ticket.expires > now + MAX_AHEAD_MS) throw refuse('E_TICKET_RIGHTS', 'it is for longer than a ticket may be')
    const certificate = () =>
      issueCertificate(this.#key, {
        mesh: this.meshId,
        subject,
        name,
        cell,
        role,
        rights,
        issuer: this.self.peerId,
        issued: now,
      })
    if (record !== undefined) {
      requireFree(name, subject, this.members())
      return record.issue(ticket, await certificate(), folded(name))
    }
    return this.#ledger.redeem(ticket, subject, now, (issued) => {
      const certified = issued.map(({ subject: peerId, name: held }) => ({ peerId, name: held }))
      requireFree(name, subject, [...this.members(), ...certified])
      return certificate()
    })
  }

  /** Of the cell's state, which a node that has just started must have before it judges who was put out. */
  async #recordSoon(cell: Promise<CellRecord>): Promise<CellRecord> {
    const record = await Promise.race([cell, delay(CELL_WAIT_MS, undefined, { ref: false })])
    if (record === undefined) throw refuse('E_ADMISSION_UNAVAILABLE')
    return record
  }

  /**
   * Another node of its cell redeems a ticket as well, since the cell counts the uses: when both may give what it gives.
   * By the chain in the ticket, since its issuer may never have been met here.
   */
  #requireIssuer(ticket: Ticket): void {
    if (ticket.issuer === this.self.peerId) return
    const issuer = this.#cell === undefined ? undefined : this.#issuerOf(ticket)
    const isOfCell = issuer?.role === 'full' && issuer.cell === this.self.cell
    if (!isOfCell || brokenBy(this.genesis, this.self, ticket) !== undefined)
      throw refuse('E_TICKET_NOT_ISSUER', `its issuer is ${ticket.issuer}`)
    if (brokenBy(this.genesis, issuer, ticket) !== undefined) throw refuse('E_TICKET_RIGHTS')
  }

  /** @throws {CodedError} E_TICKET_RIGHTS: whoever is no member any more, or never was, has nothing to give */
  #issuerOf({ issuer, chain }: Ticket): Member {
    try {
      this.#requireStanding(issuer, chain)
      return checkChain(this.genesis, chain, peerIdFromString(issuer), this.#now())
    } catch (error) {
      throw refuse('E_TICKET_RIGHTS', `its issuer: ${messageOf(error)}`)
    }
  }

  /** Who issued is another node of the cell where the key has come with its ticket before. */
  #chainTo(issuer: string, ticket: Ticket): Certificate[] {
    if (this.#isRevoked(issuer, ticket.cell)) throw refuse('E_CERT_REVOKED')
    const shown = [...this.#chain, ...ticket.chain]
    return chainTo(this.genesis, issuer, (peerId) => {
      return shown.find(({ subject }) => subject === peerId) ?? this.#record?.certificateOf(peerId)
    })
  }

  /** Also proves that this node is itself still a member: what a lapsed one signs is worth nothing. */
  #requireToGive(grant: Grant): void {
    checkChain(this.genesis, this.#chain, peerIdFromPrivateKey(this.#key), this.#now())
    if (brokenBy(this.genesis, this.self, grant) !== undefined) throw refuse('E_TICKET_RIGHTS')
    if (this.#chain.length >= MAX_CHAIN_DEPTH) throw refuse('E_CERT_DEPTH')
  }
}

/**
 * @throws {CodedError} as `checkChain` does when this node's own chain proves nothing, E_GENESIS_INVALID
 */
export function createMembership(init: MembershipInit): Membership {
  return new Membership(init)
}
