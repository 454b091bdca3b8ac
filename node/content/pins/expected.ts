import { CID } from 'multiformats/cid'
import { codeOf } from '../../../protocols/shared/errors.ts'
import type { OwnLease } from './leases.ts'
import { nameOf } from './ledger.ts'
import { isLeaf, linksOf } from './links.ts'
import { asV1 } from './records.ts'
import type { PinStore } from './types.ts'

/** What says that a block has no links that could be here; a failure of the disk is none of these. */
const NO_LINKS = /^E_(BLOCK_CORRUPT|CONTENT_|CODEC_|DAG_|HASH_)/

/** Roots that are to be pinned: what of them is here is no garbage, though nothing counts it yet. */
export class Expected {
  readonly #roots = new Set<string>()
  #version = 0

  /** Other than before when a root has come. */
  get version(): number {
    return this.#version
  }

  add(root: string): void {
    if (this.#roots.has(root)) return
    this.#roots.add(root)
    this.#version++
  }

  delete(root: CID): void {
    this.#roots.delete(root.toString())
  }

  /** @returns those that are not in a set, which has them then */
  unseen(seen: Set<string>): string[] {
    const unseen = [...this.#roots].filter((root) => !seen.has(root))
    for (const root of unseen) seen.add(root)
    return unseen
  }
}

export interface SparingInit {
  expected: Expected
  store: Pick<PinStore, 'has' | 'get'>
  lease: OwnLease
  signal: AbortSignal
}

/** During one sweep: leases what is here of all that is expected. */
export class Sparing {
  readonly #init: SparingInit
  readonly #seen = new Set<string>()
  #version = -1

  constructor(init: SparingInit) {
    this.#init = init
  }

  /** Whether nothing is expected that is not leased. */
  get isCurrent(): boolean {
    return this.#version === this.#init.expected.version
  }

  async update(): Promise<void> {
    const { expected } = this.#init
    while (!this.isCurrent) {
      const { version } = expected
      for (const root of expected.unseen(this.#seen)) await this.#lease(asV1(CID.parse(root)))
      this.#version = version
    }
  }

  async #lease(root: CID): Promise<void> {
    const { store, lease, signal } = this.#init
    const seen = new Set<string>()
    const waiting = [root]
    for (let cid = waiting.pop(); cid !== undefined; cid = waiting.pop()) {
      signal.throwIfAborted()
      // Memory is bounded for every DAG.
      if (lease.isOfAll) return
      const name = nameOf(cid.multihash.bytes)
      if (seen.has(name) || !(await store.has(cid))) continue
      seen.add(name)
      await lease.add(cid)
      if (!isLeaf(cid)) waiting.push(...(await this.#linksOf(cid)))
    }
  }

  async #linksOf(cid: CID): Promise<CID[]> {
    const parts: Uint8Array[] = []
    try {
      for await (const part of this.#init.store.get(cid)) parts.push(part)
      return linksOf(cid, Buffer.concat(parts))
    } catch (error) {
      if (NO_LINKS.test(codeOf(error))) return []
      throw error
    }
  }
}
