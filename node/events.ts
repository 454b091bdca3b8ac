import type { NodeEvent } from './operations.ts'

/** Events kept for a watcher that comes back with its cursor. */
const MAX_KEPT = 1000

/** What happened on this node, for watchers. Every watcher reads at its own pace from the one bounded ring. */
export class EventLog {
  readonly #kept: NodeEvent[] = []
  readonly #waiting = new Set<() => void>()
  #cursor = 0

  publish(type: NodeEvent['type'], data: Record<string, unknown>): void {
    this.#kept.push({ cursor: ++this.#cursor, time: Date.now(), type, data })
    if (this.#kept.length > MAX_KEPT) this.#kept.shift()
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /**
   * From after `cursor`, or from now on; what a slow watcher missed is skipped. Ends with the signal.
   *
   * @param cursor - one that this log has not reached is of an earlier life of the node: all that is kept follows
   */
  async *watch(cursor: number | undefined, signal: AbortSignal): AsyncGenerator<NodeEvent> {
    let last = cursor ?? this.#cursor
    if (last > this.#cursor) last = 0
    while (!signal.aborted) {
      const next = this.#kept.filter((event) => event.cursor > last)
      if (next.length === 0) await this.#more(signal)
      for (const event of next) {
        yield event
        last = event.cursor
      }
    }
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    })
  }
}
