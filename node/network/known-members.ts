import type { Member } from '../../protocols/admission/index.ts'

/** Members remembered besides the founders; the one not seen for longest goes first. */
export const MAX_KNOWN_MEMBERS = 4096

interface Known {
  member: Member
  /** Unix milliseconds at which its proof ends. */
  expires: number
}

/** The members that this node has seen proof of. Those given at the start are never forgotten. */
export class KnownMembers {
  readonly #lasting: Map<string, Member>
  /** In order of last use. */
  readonly #met = new Map<string, Known>()

  constructor(lasting: readonly Member[]) {
    this.#lasting = new Map(lasting.map((member) => [member.peerId, member]))
  }

  /** @param expires - Unix milliseconds; absent when the proof does not end */
  add(member: Member, expires = Infinity): void {
    if (this.#lasting.has(member.peerId)) return
    this.#touch({ member, expires })
    const oldest = this.#met.keys().next().value
    if (this.#met.size > MAX_KNOWN_MEMBERS && oldest !== undefined) this.#met.delete(oldest)
  }

  get(peerId: string, now: number): Member | undefined {
    const lasting = this.#lasting.get(peerId)
    if (lasting !== undefined) return lasting
    const known = this.#met.get(peerId)
    if (known === undefined || known.expires <= now) return undefined
    this.#touch(known)
    return known.member
  }

  all(now: number): Member[] {
    const met = [...this.#met.values()].filter(({ expires }) => expires > now)
    return [...this.#lasting.values(), ...met.map(({ member }) => member)]
  }

  #touch(known: Known): void {
    this.#met.delete(known.member.peerId)
    this.#met.set(known.member.peerId, known)
  }
}
