import { MAX_RANGE, type SyncEpoch } from '../../protocols/sync/index.ts'
import type { FollowPeers, Source } from './follow-peers.ts'
import { FollowRange } from './follow-range.ts'
import { MAX_RANGES, MAX_WAITING_BYTES, type FollowInit, type FollowOptions } from './follow-types.ts'

export interface CatchUpInit extends Pick<FollowInit, 'client' | 'chain' | 'verify' | 'take'> {
  peers: FollowPeers
  sources: readonly Source[]
  options: FollowOptions
  onTaken(): void
  signal: AbortSignal
}

/**
 * Brings the epochs that some peers say they have: a range of each at a time, verified in order as they come. Who fails
 * gets none again in this run, and what was asked of it goes to another.
 *
 * @throws what `take` throws
 */
export async function catchUp(init: CatchUpInit): Promise<void> {
  const run = new CatchUp(init)
  try {
    await run.run()
  } finally {
    run.stop()
  }
}

class CatchUp {
  readonly #init: CatchUpInit
  /** not dropped yet */
  readonly #sources: Set<Source>
  /** in order; the first one is being verified */
  readonly #ranges: FollowRange[] = []
  /** of the first epoch that no range covers */
  #next: number
  #changed = Promise.withResolvers<void>()

  constructor(init: CatchUpInit) {
    this.#init = init
    this.#sources = new Set(init.sources)
    this.#next = init.chain.height + 1
  }

  async run(): Promise<void> {
    const { signal } = this.#init
    const onAbort = (): void => this.#wake()
    signal.addEventListener('abort', onAbort)
    try {
      while (!signal.aborted) {
        this.#handOut()
        const [range] = this.#ranges
        if (range === undefined) return
        const received = range.shift()
        if (received !== undefined) await this.#accept(range, received.epoch, received.source)
        else if (range.isDone) this.#ranges.shift()
        // Whoever had it was dropped.
        else if (range.source === undefined) return
        else await this.#changed.promise
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  stop(): void {
    for (const range of this.#ranges) range.cancel()
    this.#wake()
  }

  async #accept(range: FollowRange, epoch: SyncEpoch, source: Source): Promise<void> {
    const { chain, verify, take } = this.#init
    // Room for more.
    this.#wake()
    if (epoch.height <= chain.height) return
    const code = await verify(epoch)
    if (code === undefined) {
      await take(epoch)
      this.#init.onTaken()
    } else if (epoch.height > chain.height) {
      this.#init.peers.lied(source.peer, code)
      this.#sources.delete(source)
      range.unshift(epoch.height)
      for (const other of this.#ranges) other.distrust(source)
    }
  }

  /** What nobody brings is given to who is free, the first one first. */
  #handOut(): void {
    for (const range of this.#ranges) if (range.source === undefined && !range.isComplete) this.#assign(range)
    while (this.#ranges.length < MAX_RANGES) {
      const source = this.#free(this.#next)
      if (source === undefined) return
      const range = new FollowRange(this.#next, Math.min(this.#next + MAX_RANGE - 1, source.height))
      this.#next = range.to + 1
      this.#ranges.push(range)
      void this.#read(range, source)
    }
  }

  #assign(range: FollowRange): void {
    const source = this.#free(range.next) ?? (range === this.#ranges[0] ? this.#takeOver(range.next) : undefined)
    if (source !== undefined) void this.#read(range, source)
  }

  #free(height: number): Source | undefined {
    const busy = new Set(this.#ranges.map(({ source }) => source))
    return [...this.#sources].find((source) => !busy.has(source) && has(source, height))
  }

  /** All that waits for it would wait for ever if those who have the first range were held back with later ones. */
  #takeOver(height: number): Source | undefined {
    const later = this.#ranges.findLast(({ source }) => source !== undefined && has(source, height))
    const source = later?.source
    later?.cancel()
    this.#wake()
    return source
  }

  async #read(range: FollowRange, source: Source): Promise<void> {
    const { client, options, peers } = this.#init
    try {
      if (await range.read(source, client, options, () => this.#room(range))) peers.helped(source.peer)
    } catch (error) {
      this.#sources.delete(source)
      if (!this.#init.signal.aborted) peers.failed(source.peer, error)
    }
    this.#wake()
  }

  /** What is verified makes room. */
  async #room(range: FollowRange): Promise<void> {
    this.#wake()
    while (range.source !== undefined && this.#isFull(range) && !this.#init.signal.aborted) await this.#changed.promise
  }

  /** The first range waits for nobody but itself. */
  #isFull(range: FollowRange): boolean {
    const counted = range === this.#ranges[0] ? [range] : this.#ranges
    return counted.reduce((sum, { byteLength }) => sum + byteLength, 0) >= MAX_WAITING_BYTES
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

function has({ height, lowest }: Source, wanted: number): boolean {
  return height >= wanted && lowest <= wanted
}
