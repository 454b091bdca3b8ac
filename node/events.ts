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
  readonly #first: number
  #cursor: number
  /** Of the newest event that is no longer kept. */
  #dropped = 0

  /**
   * @param first - cursors of this life of the node are larger; and those of all earlier lives are not, where it grows with
   *   time (`firstCursor`)
   */
  constructor(first = 0) {
    this.#first = first
    this.#cursor = first
  }

  publish(type: NodeEvent['type'], data: Record<string, unknown>): void {
    const kept = this.#kept.get(type) ?? []
    this.#kept.set(type, kept)
    kept.push({ cursor: ++this.#cursor, time: Date.now(), type, data })
    if (kept.length > MAX_KEPT) this.#dropped = Math.max(this.#dropped, kept.shift()!.cursor)
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /**
   * From after `cursor`, or from now on. Ends with the signal. Where something is no longer kept, an event `gap` says so
   * before all that is.
   *
   * @param cursor - one that is not of this life of the node: all that is kept follows; 0: the same, and no gap is told
   */
  async *watch(cursor: number | undefined, signal: AbortSignal): AsyncGenerator<NodeEvent> {
    let last = cursor ?? this.#cursor
    // Who asks for all that there is misses nothing that it knew of.
    let isTold = cursor !== 0
    const isOfOtherLife = last > this.#cursor || last < this.#first
    if (isOfOtherLife) last = this.#first
    if (isOfOtherLife && isTold) yield gap(last, 'restart')
    while (!signal.aborted) {
      const next = this.#after(last)
      if (last < this.#dropped && isTold) yield gap(last, 'dropped')
      isTold = true
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

/** Of the life of a node that begins now, Unix milliseconds: more than 100 events in each of its milliseconds do not happen. */
export function firstCursor(now: number): number {
  return now * 100
}

/** With the cursor that was given: who comes back with it is told again, and misses nothing. */
function gap(cursor: number, reason: 'restart' | 'dropped'): NodeEvent {
  return { cursor, time: Date.now(), type: 'gap', data: { reason } }
}

/** @param kept - oldest first; a watcher that keeps up looks at its news alone */
function newest(kept: readonly NodeEvent[], cursor: number): NodeEvent[] {
  const last = kept.findLastIndex((event) => event.cursor <= cursor)
  return kept.slice(last + 1)
}
