import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  ADMISSION_VERSION,
  createGenesis,
  issueCertificate,
  meshIdOf,
  parseTicket,
  type Admission,
  type Certificate,
  type CertificateBody,
  type Founder,
  type Genesis,
  type GenesisOptions,
  type Hello,
} from '../../../protocols/admission/index.ts'
import { ticketCodec } from '../../../protocols/admission/codec.ts'
import {
  createMembership,
  type Invitation,
  type Membership,
  type MembershipInit,
} from '../../../node/network/membership.ts'

/** Unix milliseconds at which the tests play. */
export const NOW = 1_800_000_000_000

export interface Identity {
  key: Ed25519PrivateKey
  peerId: PeerId
  id: string
}

export async function identity(): Promise<Identity> {
  const key = await generateKeyPair('Ed25519')
  const peerId = peerIdFromPrivateKey(key)
  return { key, peerId, id: peerId.toString() }
}

export const founderEntry = ({ id }: Identity, cell: string, role: Founder['role'] = 'full', name = cell): Founder => ({
  peerId: id,
  name,
  role,
  cell,
})

export interface Mesh {
  genesis: Genesis
  /** Full founder of the cell alpha. */
  alpha: Identity
  /** Full founder of the cell beta. */
  beta: Identity
}

export async function mesh(options: Partial<GenesisOptions> = {}): Promise<Mesh> {
  const [alpha, beta] = await Promise.all([identity(), identity()])
  const founders = [founderEntry(alpha, 'alpha'), founderEntry(beta, 'beta')]
  return { genesis: createGenesis(founders, { name: 'test', created: NOW, ...options }), alpha, beta }
}

/** A certificate by `issuer` for `subject`: a full node of alpha with no rights unless told. */
export function certify(
  { genesis }: Mesh,
  issuer: Identity,
  subject: Identity,
  body: Partial<CertificateBody> = {},
): Promise<Certificate> {
  return issueCertificate(issuer.key, {
    mesh: meshIdOf(genesis),
    subject: subject.id,
    name: 'someone',
    cell: 'alpha',
    role: 'full',
    rights: [],
    issuer: issuer.id,
    issued: NOW,
    ...body,
  })
}

export class MemoryStore {
  readonly values = new Map<string, Uint8Array>()
  writes = 0

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.values.get(key)
  }

  async put(key: string, value: Uint8Array): Promise<void> {
    this.writes++
    this.values.set(key, value)
  }
}

export function membership(
  { genesis }: Pick<Mesh, 'genesis'>,
  { key }: Identity,
  init: Partial<MembershipInit> = {},
): Membership {
  return createMembership({
    privateKey: key,
    genesis,
    chain: [],
    store: new MemoryStore(),
    name: 'node',
    now: () => NOW,
    ...init,
  })
}

/** @returns the `code` of what was thrown, or `none` */
export async function codeThrownBy(run: () => unknown): Promise<string> {
  try {
    await run()
    return 'none'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

export const helloOf = ({ genesis }: Mesh, change: Partial<Hello> = {}): Hello => ({
  mesh: meshIdOf(genesis),
  version: ADMISSION_VERSION,
  name: 'joiner',
  ...change,
})

/** The bytes of a ticket for a light node of the issuer's cell, unless told. */
export async function inviteBytes(issuer: Membership, request: Partial<Invitation> = {}): Promise<Uint8Array> {
  const { ticket } = await issuer.invite({ role: 'light', addresses: [], ...request })
  return ticketCodec.encode(parseTicket(ticket))
}

/** Each under a name of its own, unless told. */
export const redeem = (
  m: Mesh,
  issuer: Membership,
  who: Identity,
  ticket: Uint8Array,
  name = who.id,
): Promise<Admission> => issuer.host.admit(who.peerId, helloOf(m, { ticket, name }))
