import { z } from 'zod'
import type { MeshState, Revocation } from '../../consensus/epoch/types.ts'
import { peerIdFromKey, strictKeyFrom, type Certificate } from '../../protocols/admission/index.ts'
import { defineCodec } from '../../protocols/shared/codec.ts'
import type { LedgerStore } from './ticket-ledger.ts'

const KEY = 'mesh/revocations'
/** As many as the mesh's record holds. */
const MAX_REVOCATIONS = 4096
const MAX_BYTES = 1_048_576

/** A membership that its own cell took back. `time`: of the epoch with which this node learned of it, Unix ms. */
export interface Revoked {
  readonly peerId: string
  readonly cell: string
  readonly time: number
}

/** What admission needs of the mesh's record. */
export type MeshView = Pick<MeshState, 'time' | 'revoked' | 'operators'>

const codec = defineCodec<Revoked[]>(
  'revocations',
  MAX_BYTES,
  z.array(z.strictObject({ peerId: z.string(), cell: z.string(), time: z.int().min(0) })).max(MAX_REVOCATIONS),
)

/** Whom the cells of the mesh have put out, each its own, by the mesh's record; known again at once after a restart. */
export class MeshRevocations {
  readonly #store: LedgerStore
  readonly #byPeer = new Map<string, Revoked>()
  #operators: MeshState['operators'] = []
  #seen: readonly Revocation[] | undefined

  private constructor(store: LedgerStore, revoked: readonly Revoked[]) {
    this.#store = store
    for (const one of revoked) this.#byPeer.set(idOf(one), one)
  }

  /** @throws {CodedError} of the storage, or E_FRAME_… when what it holds is damaged */
  static async open(store: LedgerStore): Promise<MeshRevocations> {
    const bytes = await store.get(KEY)
    return new MeshRevocations(store, bytes === undefined ? [] : codec.decode(bytes))
  }

  /** @param cell - of the peer: what another one says of it counts for nothing */
  isRevoked(peerId: string, cell: string | undefined): boolean {
    return this.#byPeer.size > 0 && cell !== undefined && this.#byPeer.has(idOf({ peerId, cell }))
  }

  /**
   * Whether a certificate's issuer was put out and nothing but its own word says that it was one of the cell's when it
   * signed. Full nodes must stand in the record of their cell, if it has one; of the others only the date is known,
   * which a thief can set: their own cell knows better, and they have no weight.
   */
  isVoid(certificate: Certificate, issuerCell: string | undefined): boolean {
    const { issuer, cell, subject, role, issued } = certificate
    if (!this.isRevoked(issuer, issuerCell)) return false
    const operator = this.#operators.find((operator) => operator.cell === cell)
    if (role !== 'full' || operator === undefined)
      return issued >= this.#byPeer.get(idOf({ peerId: issuer, cell: issuerCell! }))!.time
    const key = strictKeyFrom(subject)
    return !operator.members.some((member) => Buffer.compare(member, key) === 0)
  }

  /**
   * Takes over what the record says now: what it no longer holds is forgotten.
   *
   * @returns `added`: those that were not known; `stored`: when it is durable, @throws as the store does
   */
  take({ time, revoked, operators }: MeshView): { added: Revoked[]; stored: Promise<void> } {
    this.#operators = operators
    if (revoked === this.#seen) return { added: [], stored: Promise.resolve() }
    this.#seen = revoked
    const before = new Map(this.#byPeer)
    this.#byPeer.clear()
    for (const { subject, cell } of revoked) {
      const peerId = peerIdFromKey(subject)
      const id = idOf({ peerId, cell })
      this.#byPeer.set(id, before.get(id) ?? { peerId, cell, time })
    }
    const added = [...this.#byPeer].filter(([id]) => !before.has(id)).map(([, one]) => one)
    const isSame = added.length === 0 && before.size === this.#byPeer.size
    return {
      added,
      stored: isSame ? Promise.resolve() : this.#store.put(KEY, codec.encode([...this.#byPeer.values()])),
    }
  }
}

function idOf({ peerId, cell }: Pick<Revoked, 'peerId' | 'cell'>): string {
  return `${cell} ${peerId}`
}
