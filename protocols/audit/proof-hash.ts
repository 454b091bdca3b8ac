import { createHash } from 'node:crypto'

/**
 * What a challenge asks for: SHA-256 over SHA-256(salt ‖ bytes) of each block in its order. Nobody can compute it before
 * the salt is known, nor from less than all the bytes.
 */
export class ProofHash {
  readonly #salt: Uint8Array
  readonly #all = createHash('sha256')
  /** Of the blocks so far. */
  bytes = 0
  blocks = 0

  constructor(salt: Uint8Array) {
    this.#salt = salt
  }

  add(bytes: Uint8Array): void {
    this.#all.update(createHash('sha256').update(this.#salt).update(bytes).digest())
    this.bytes += bytes.byteLength
    this.blocks++
  }

  /** @returns 32 bytes, which never leave a node: `proofOf` does. Nothing can be added afterwards */
  digest(): Uint8Array {
    return this.#all.digest()
  }
}

/**
 * The answer, of one prover alone: another holder's answer to the same challenge is of no use to it.
 *
 * @param prover - peer id as text
 * @returns 32 bytes
 */
export function proofOf(digest: Uint8Array, prover: string): Uint8Array {
  return createHash('sha256').update(digest).update(prover).digest()
}
