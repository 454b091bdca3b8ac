import type { CID } from 'multiformats/cid'
import { CodedError } from '../shared/errors.ts'
import { LEASE_MS, MAX_LEASES_PER_PEER } from './constants.ts'
import type { Lease } from './serve-push.ts'

interface Held {
  peer: string
  timer: NodeJS.Timeout | undefined
  /** The block that came last: the root of what was pushed. */
  root: CID | undefined
}

/**
 * Holds the blocks of each push until its root is pinned, but no longer than LEASE_MS after its end: so long the pin that
 * is to keep them may take.
 */
export class Leases {
  readonly #open: () => Lease
  readonly #held = new Map<Lease, Held>()

  constructor(open: () => Lease) {
    this.#open = open
  }

  /** @throws {CodedError} E_BLOCKS_BUSY when the peer has as many leases as it may */
  async run(peer: string, push: (lease: Lease) => Promise<CID | undefined>): Promise<void> {
    const count = [...this.#held.values()].filter((held) => held.peer === peer).length
    if (count >= MAX_LEASES_PER_PEER)
      throw new CodedError('E_BLOCKS_BUSY', 'too many pushes of yours are not yet pinned')
    const lease = this.#open()
    const held: Held = { peer, timer: undefined, root: undefined }
    this.#held.set(lease, held)
    try {
      held.root = await push(lease)
    } finally {
      if (this.#held.has(lease)) held.timer = setTimeout(() => this.#release(lease), LEASE_MS).unref()
    }
  }

  /** A pin of the block has got all that it needs, or is gone. */
  settled(root: CID): void {
    for (const [lease, held] of this.#held) if (held.root?.equals(root) === true) this.#release(lease)
  }

  stop(): void {
    for (const lease of this.#held.keys()) this.#release(lease)
  }

  #release(lease: Lease): void {
    clearTimeout(this.#held.get(lease)?.timer)
    if (this.#held.delete(lease)) lease.release()
  }
}
