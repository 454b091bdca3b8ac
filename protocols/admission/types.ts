import type { PeerId } from '@libp2p/interface'

/** What a node does in the mesh; `node/roles.ts` lists the services of each. */
export type Role = 'full' | 'light' | 'witness' | 'relay'

/** `issue`: sign certificates for one's own cell. `found`: bring a new cell. Only full nodes have rights. */
export type Right = 'issue' | 'found'

/** What an admitted peer is, proven by genesis or by its certificate chain. */
export interface Member {
  peerId: string
  name: string
  cell: string
  role: Role
  rights: Right[]
}

/** The public entry that a founder hands to whoever writes the genesis. */
export interface Founder {
  peerId: string
  name: string
  role: Role
  cell: string
}

/** One operator owns one cell; weight belongs to the operator (blueprint, "Operators, cells, weight"). */
export interface GenesisOperator {
  name: string
  cell: string
  /** Whole, ≥ 1; Σ < 2³³ (coherence.md P11). */
  weight: number
  founders: { peerId: string; name: string; role: Role }[]
}

/** The document whose CID is the mesh id. */
export interface Genesis {
  version: 1
  /** The mesh's name, for people. */
  name: string
  /** Unix milliseconds. */
  created: number
  /** Reserved for a mesh that also offers plain `/noise`, for content and queries only: no release does yet. */
  open: boolean
  /** Angular frequency ω of the mesh's oscillator, rad/s, > 0. */
  omega: number
  /** I_c: collapse when |T|² reaches it, 0 < I_c < 1. */
  collapseThreshold: number
  /** Pace of the epochs, milliseconds. */
  epochMs: number
  operators: GenesisOperator[]
}

/** A statement by `issuer` that the key `subject` is a node of `cell`. Times are Unix milliseconds. */
export interface Certificate {
  mesh: string
  subject: string
  name: string
  cell: string
  role: Role
  rights: Right[]
  issuer: string
  issued: number
  expires?: number
  signature: Uint8Array
}

/** A promise by `issuer` to certify whoever shows it. Times are Unix milliseconds. */
export interface Ticket {
  mesh: string
  issuer: string
  cell: string
  role: Role
  rights: Right[]
  expires: number
  uses: number
  nonce: Uint8Array
  /** Where the issuer can be dialled, multiaddrs without `/p2p`. */
  addresses: string[]
  /** The issuer's own chain, empty for a founder. */
  chain: Certificate[]
  signature: Uint8Array
}

/** What the two ends of a new connection tell each other. */
export interface Hello {
  mesh: string
  /** Admission protocol version of the sender. */
  version: number
  name: string
  /** From the certificate signed by a founder to the sender's own; absent or empty for a founder. */
  chain?: Certificate[]
  /** Bytes of a ticket to redeem; only in a dialer's hello. */
  ticket?: Uint8Array
  /** Only in the answer to a ticket. */
  welcome?: Welcome
}

/** What a successful check of a hello gives. */
export interface Admission {
  member: Member
  /** Unix milliseconds at which the first certificate of the chain ends; absent when none does. */
  expires?: number
  /** When a ticket was redeemed: the redeemer's new chain, and the genesis that it may not know yet. */
  welcome?: Welcome
}

export interface Welcome {
  certificate: Certificate[]
  genesis: Genesis
}

export interface RefusalInfo {
  /** Absent when the peer was cut before it proved its key. */
  peerId?: string
  code: string
  /** Who refused: this node (`local`) or the other one (`remote`). */
  side: 'local' | 'remote'
  message: string
}

/** What the encrypter asks of the node. */
export interface AdmissionHost {
  /** This node's hello as a dialer. The listener's answer is the same without the ticket. */
  hello(): Hello
  /**
   * Checks the other side's hello. As a listener it also redeems its ticket: durable before it resolves.
   *
   * @throws {CodedError} with a code of refusals.ts: told to the other side. Anything else is
   *   this node's own failure: the other side reads E_ADMISSION_UNAVAILABLE.
   */
  admit(remote: PeerId, hello: Hello): Promise<Admission>
  /** Called on both sides when both have agreed, before the muxer starts. */
  accepted(remote: PeerId, admission: Admission): void
  refused(info: RefusalInfo): void
}
