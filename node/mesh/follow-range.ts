import type { SyncClient, SyncEpoch } from '../../protocols/sync/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { MAX_RANGE } from '../../protocols/sync/index.ts'
import type { Source } from './follow-peers.ts'
import type { FollowOptions } from './follow-types.ts'

interface Received {
  readonly epoch: SyncEpoch
  readonly source: Source
}

/** Some epochs in a row: who is being asked for them, and what came and is not verified yet. */
export class FollowRange {
  /** of the last one */
  readonly to: number
  /** of the next one that is to be verified */
  #from: number
  #waiting: Received[] = []
  #source: Source | undefined
  #reading = new AbortController()

  constructor(from: number, to: number) {
    this.#from = from
    this.to = to
  }

  /** Who is being asked. */
  get source(): Source | undefined {
    return this.#source
  }

  /** of the next one that is to come */
  get next(): number {
    return this.#from + this.#waiting.length
  }

  get isComplete(): boolean {
    return this.next > this.to
  }

  get isDone(): boolean {
    return this.#from > this.to
  }

  get byteLength(): number {
    return this.#waiting.reduce((sum, { epoch }) => sum + sizeOf(epoch), 0)
  }

  shift(): Received | undefined {
    const first = this.#waiting.shift()
    if (first !== undefined) this.#from++
    return first
  }

  /** The epoch that was shifted last does not count, nor does what the same source gave after it. */
  unshift(height: number): void {
    this.#from = height
    this.#waiting = []
    this.cancel()
  }

  /** What a source gave is not believed any more. */
  distrust(source: Source): void {
    const first = this.#waiting.findIndex((received) => received.source === source)
    if (first >= 0) this.#waiting.length = first
    if (first >= 0 || this.#source === source) this.cancel()
  }

  cancel(): void {
    this.#source = undefined
    this.#reading.abort(new CodedError('E_SYNC_ABANDONED', 'another peer is asked'))
  }

  /**
   * Brings what is missing, as far as the source has it. Waits for `room` after each epoch.
   *
   * @returns false when it was cancelled
   * @throws {CodedError} E_SYNC_SHORT, E_SYNC_SLOW, or the client's
   */
  async read(source: Source, client: SyncClient, options: FollowOptions, room: () => Promise<void>): Promise<boolean> {
    const reading = new AbortController()
    this.#source = source
    this.#reading = reading
    const from = this.next
    const count = Math.min(MAX_RANGE, Math.min(this.to, source.height) - from + 1)
    let got = 0
    try {
      const epochs = client.range(source.peer, from, count, reading.signal)
      for await (const epoch of patiently(epochs, reading, options)) {
        if (reading.signal.aborted) return false
        this.#waiting.push({ epoch, source })
        got++
        await room()
        if (reading.signal.aborted) return false
      }
      if (got < count && !reading.signal.aborted)
        throw new CodedError('E_SYNC_SHORT', `${got} epochs came of ${count} that it said it has`)
      return true
    } catch (error) {
      // Whoever aborted the reading has nothing against the source, but for its slowness.
      const reason: unknown = reading.signal.reason
      if (!reading.signal.aborted) throw error
      if (reason instanceof CodedError && reason.code === 'E_SYNC_SLOW') throw reason
      return false
    } finally {
      if (this.#reading === reading) this.#source = undefined
    }
  }
}

export function sizeOf({ block, certificate }: SyncEpoch): number {
  return block.byteLength + certificate.byteLength
}

/** Ends what comes too slowly: one epoch just before each timeout would hold up all that follow. */
async function* patiently(
  epochs: AsyncGenerator<SyncEpoch>,
  reading: AbortController,
  { graceMs, minBytesPerSecond }: FollowOptions,
): AsyncGenerator<SyncEpoch> {
  let leftMs = graceMs
  try {
    for (;;) {
      const since = performance.now()
      const slow = (): void => reading.abort(new CodedError('E_SYNC_SLOW', 'epochs come too slowly'))
      const timer = setTimeout(slow, Math.max(0, leftMs))
      const next = await epochs.next().finally(() => clearTimeout(timer))
      if (next.done === true) return
      leftMs -= performance.now() - since
      leftMs = Math.min(graceMs, leftMs + (sizeOf(next.value) * 1000) / minBytesPerSecond)
      yield next.value
    }
  } finally {
    await epochs.return(undefined)
  }
}
