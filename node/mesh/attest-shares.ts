import { hex } from '../../consensus/epoch/index.ts'
import type { MemberSignature } from '../../consensus/epoch/attestation-codec.ts'
import { compareBytes, equalBytes } from '../../consensus/light/bytes.ts'

/** Of each member: one may be ahead of the others by an epoch or two. */
const KEPT_OF_ONE = 4

interface Share {
  readonly body: Uint8Array
  readonly signature: Uint8Array
}

/** Who of a cell has signed which attestation; checked by whoever adds it. */
export class Shares {
  readonly #byMember = new Map<string, Share[]>()

  add(member: Uint8Array, body: Uint8Array, signature: Uint8Array): void {
    if (this.has(member, body)) return
    const id = hex(member)
    this.#byMember.set(id, [...(this.#byMember.get(id) ?? []), { body, signature }].slice(-KEPT_OF_ONE))
  }

  has(member: Uint8Array, body: Uint8Array): boolean {
    return this.#find(member, body) !== undefined
  }

  /** @returns those of these members that have signed just these bytes, in the order of their keys */
  of(body: Uint8Array, members: readonly Uint8Array[]): MemberSignature[] {
    return members
      .toSorted(compareBytes)
      .map((member) => [member, this.#find(member, body)] as const)
      .flatMap(([member, share]) => (share === undefined ? [] : [[member, share.signature] as const]))
  }

  /** Forgets those who are none of these any more. */
  keepOnly(members: readonly Uint8Array[]): void {
    const kept = new Set(members.map(hex))
    for (const id of this.#byMember.keys()) if (!kept.has(id)) this.#byMember.delete(id)
  }

  #find(member: Uint8Array, body: Uint8Array): Share | undefined {
    return this.#byMember.get(hex(member))?.find((share) => equalBytes(share.body, body))
  }
}
