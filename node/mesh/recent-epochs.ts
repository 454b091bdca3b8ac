import type { StoredEpoch } from './chain-head.ts'

const MAX_EPOCHS = 64
const MAX_BYTES = 8_388_608

/** What who follows asks for again and again: the newest epochs, by height. */
export class RecentEpochs {
  readonly #epochs = new Map<number, StoredEpoch>()
  /** of the blocks */
  #bytes = 0

  get(height: number): StoredEpoch | undefined {
    return this.#epochs.get(height)
  }

  put(height: number, epoch: StoredEpoch): void {
    this.#bytes += epoch.block.byteLength - (this.#epochs.get(height)?.block.byteLength ?? 0)
    this.#epochs.set(height, epoch)
    for (const [oldest, { block }] of this.#epochs) {
      if (this.#epochs.size <= MAX_EPOCHS && this.#bytes <= MAX_BYTES) break
      this.#epochs.delete(oldest)
      this.#bytes -= block.byteLength
    }
  }

  clear(): void {
    this.#epochs.clear()
    this.#bytes = 0
  }
}
