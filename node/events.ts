import type { NodeEvent } from './operations.ts'

/** Events of each type kept for a watcher that comes back with its cursor. */
const MAX_KEPT = 1000

/**
 * What happened on this node, for watchers. Every watcher reads at its own pace from bounded rings, one for each type:
 * an import of a hundred thousand pins pushes out pins, and not who leads the cell.
 */
export class EventLog {
  readonly #kept = new Map<NodeEvent['type'], NodeEvent[]>()
  readonly #waiting = new Set<() => void>()
  #cursor = 0

  publish(type: NodeEvent['type'], data: Record<string, unknown>): void {
    const kept = this.#kept.get(type) ?? []
    this.#kept.set(type, kept)
    kept.push({ cursor: ++this.#cursor, time: Date.now(), type, data })
    if (kept.length > MAX_KEPT) kept.shift()
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
      const next = this.#after(last)
      if (next.length === 0) await this.#more(signal)
      for (const event of next) {
        yield event
        last = event.cursor
      }
    }
  }

  #after(cursor: number): NodeEvent[] {
    const next = [...this.#kept.values()].flatMap((kept) => newest(kept, cursor))
    return next.sort((a, b) => a.cursor - b.cursor)
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

/** @param kept - oldest first; a watcher that keeps up looks at its news alone */
function newest(kept: readonly NodeEvent[], cursor: number): NodeEvent[] {
  const last = kept.findLastIndex((event) => event.cursor <= cursor)
  return kept.slice(last + 1)
}
