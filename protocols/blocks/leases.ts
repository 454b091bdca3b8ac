import { CodedError } from '../shared/errors.ts'
import { LEASE_MS, MAX_LEASES_PER_PEER } from './constants.ts'
import type { Lease } from './serve-push.ts'

/** Holds the blocks of each push for LEASE_MS after its end: so long the pin that is to keep them may take. */
export class Leases {
  readonly #open: () => Lease
  readonly #held = new Map<Lease, { peer: string; timer: NodeJS.Timeout | undefined }>()

  constructor(open: () => Lease) {
    this.#open = open
  }

  /** @throws {CodedError} E_BLOCKS_BUSY when the peer has as many leases as it may */
  async run(peer: string, push: (lease: Lease) => Promise<void>): Promise<void> {
    const count = [...this.#held.values()].filter((held) => held.peer === peer).length
    if (count >= MAX_LEASES_PER_PEER)
      throw new CodedError('E_BLOCKS_BUSY', 'too many pushes of yours are not yet pinned')
    const lease = this.#open()
    const held: { peer: string; timer: NodeJS.Timeout | undefined } = { peer, timer: undefined }
    this.#held.set(lease, held)
    try {
      await push(lease)
    } finally {
      if (this.#held.has(lease)) held.timer = setTimeout(() => this.#release(lease), LEASE_MS).unref()
    }
  }

  stop(): void {
    for (const [lease, { timer }] of this.#held) {
      clearTimeout(timer)
      this.#release(lease)
    }
  }

  #release(lease: Lease): void {
    if (this.#held.delete(lease)) lease.release()
  }
}
