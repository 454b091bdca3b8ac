interface Event {
  readonly isQuiet: boolean
  run: (() => void) | undefined
}

const FIRST_CAPACITY = 1024

/** Virtual milliseconds: events run in order of time, those of one time in the order they were asked for. */
export class VirtualTime {
  now = 0
  /** whether a promise may have been settled by what has just run */
  isStirred = false
  #asked = 0
  // A binary heap; its keys, apart from the events, are numbers that need no objects.
  readonly #events: Event[] = []
  #at = new Float64Array(FIRST_CAPACITY)
  #order = new Float64Array(FIRST_CAPACITY)

  /** @param isQuiet - settles no promise, or says so. @returns what cancels it */
  after(ms: number, run: () => void, isQuiet = false): () => void {
    const event: Event = { isQuiet, run }
    this.#push(this.now + Math.max(0, ms), event)
    return () => {
      event.run = undefined
    }
  }

  /** {@link after} for what nobody cancels. */
  later(ms: number, run: () => void, isQuiet = false): void {
    this.#push(this.now + Math.max(0, ms), { isQuiet, run })
  }

  /** Runs all that is due at the next moment by `until`. @returns false when nothing is; then it is `until` */
  step(until: number): boolean {
    const moment = this.#at[0]!
    if (this.#events.length === 0 || moment > until) {
      this.now = Math.max(this.now, until)
      return false
    }
    this.now = moment
    do this.#run(this.#pop())
    while (this.#events.length > 0 && this.#at[0] === moment)
    return true
  }

  #run({ run, isQuiet }: Event): void {
    if (run === undefined) return
    if (!isQuiet) this.isStirred = true
    run()
  }

  #push(moment: number, event: Event): void {
    const events = this.#events
    let at = events.length
    if (at === this.#at.length) this.#grow()
    const [times, orders, order] = [this.#at, this.#order, this.#asked++]
    // Whoever is asked for last comes after all of its moment.
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (times[parent]! <= moment) break
      this.#move(parent, at)
      at = parent
    }
    events[at] = event
    times[at] = moment
    orders[at] = order
  }

  #pop(): Event {
    const events = this.#events
    const [times, orders] = [this.#at, this.#order]
    const top = events[0]!
    const last = events.pop()!
    const length = events.length
    if (length === 0) return top
    const [moment, order] = [times[length]!, orders[length]!]
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= length) break
      if (child + 1 < length && this.#isBefore(child + 1, times[child]!, orders[child]!)) child++
      if (!this.#isBefore(child, moment, order)) break
      this.#move(child, at)
      at = child
    }
    events[at] = last
    times[at] = moment
    orders[at] = order
    return top
  }

  #isBefore(at: number, moment: number, order: number): boolean {
    const time = this.#at[at]!
    return time < moment || (time === moment && this.#order[at]! < order)
  }

  #move(from: number, to: number): void {
    this.#events[to] = this.#events[from]!
    this.#at[to] = this.#at[from]!
    this.#order[to] = this.#order[from]!
  }

  #grow(): void {
    const [times, orders] = [this.#at, this.#order]
    this.#at = new Float64Array(2 * times.length)
    this.#order = new Float64Array(2 * orders.length)
    this.#at.set(times)
    this.#order.set(orders)
  }
}
