import type { CID } from 'multiformats/cid'
import { MAX_LEASED_BLOCKS } from './constants.ts'
import { nameOf } from './ledger.ts'
import type { Lease } from './types.ts'

export interface OwnLease extends Lease {
  /** It went beyond the limit: until it is released, every block is held. */
  readonly isOfAll: boolean
}

/**
 * Who may take a block, and when:
 *
 * A pin takes a lease on the block, then looks for it or fetches it, then counts it on disk, then
 * gives the lease back. gc closes the block, then reads its count, then deletes it, then opens it.
 * Closing and leasing are single steps of one thread, so one of them is first. If the lease is, gc
 * leaves the block alone. If gc is, the pin waits, and afterwards finds the block gone and fetches it,
 * or finds it spared. A count that gc does not see is therefore one that is counted after it.
 */
export class Leases {
  readonly #limit: number
  /** Leases by block. */
  readonly #held = new Map<string, number>()
  /** Blocks that gc is deciding about. */
  readonly #closed = new Map<string, Promise<void>>()
  /** Leases that hold every block, since they were beyond the limit. */
  #holdingAll = 0

  constructor(limit = MAX_LEASED_BLOCKS) {
    this.#limit = limit
  }

  hold(): OwnLease {
    const own = new Set<string>()
    let state: 'blocks' | 'all' | 'released' = 'blocks'
    const take = (name: string): void => {
      if (state !== 'blocks' || own.has(name)) return
      const leases = this.#held.get(name) ?? 0
      if (leases === 0 && this.#held.size >= this.#limit) {
        state = 'all'
        this.#holdingAll++
        return
      }
      this.#held.set(name, leases + 1)
      own.add(name)
    }
    return {
      get isOfAll() {
        return state === 'all'
      },
      add: async (cid) => {
        const name = nameOf(cid.multihash.bytes)
        // The lease first, so that gc cannot close the block again while we wait.
        take(name)
        await this.#closed.get(name)
      },
      release: () => {
        if (state === 'all') this.#holdingAll--
        state = 'released'
        for (const name of own) this.#giveBack(name)
        own.clear()
      },
    }
  }

  isHeld(cid: CID): boolean {
    return this.#holdingAll > 0 || this.#held.has(nameOf(cid.multihash.bytes))
  }

  /** Closes those blocks that no lease holds, each given once, while `decide` runs. */
  async closed<B extends { cid: CID }, T>(blocks: readonly B[], decide: (free: B[]) => Promise<T>): Promise<T> {
    const free = blocks.filter(({ cid }) => !this.isHeld(cid))
    const names = free.map(({ cid }) => nameOf(cid.multihash.bytes))
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const name of names) this.#closed.set(name, promise)
    try {
      return await decide(free)
    } finally {
      for (const name of names) this.#closed.delete(name)
      resolve()
    }
  }

  #giveBack(name: string): void {
    const leases = this.#held.get(name)!
    if (leases > 1) this.#held.set(name, leases - 1)
    else this.#held.delete(name)
  }
}
