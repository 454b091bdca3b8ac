interface Event {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

/** Virtual milliseconds: events run in order of time, those of one time in the order they were asked for. */
export class VirtualTime {
  now = 0
  #order = 0
  readonly #heap: Event[] = []

  /** @returns what cancels it */
  after(ms: number, run: () => void): () => void {
    const event: Event = { at: this.now + Math.max(0, ms), order: this.#order++, run }
    this.#push(event)
    return () => {
      event.run = undefined
    }
  }

  /** Runs all that is due at the next moment by `until`. @returns false when nothing is; then it is `until` */
  step(until: number): boolean {
    const moment = this.#heap[0]?.at
    if (moment === undefined || moment > until) {
      this.now = Math.max(this.now, until)
      return false
    }
    this.now = moment
    while (this.#heap[0]?.at === moment) this.#pop().run?.()
    return true
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]!
      if (!before(event, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  #pop(): Event {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return top
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
