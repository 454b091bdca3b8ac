import type { LogLevel } from '../config/sections-source.ts'

/** A line of the log as a document. */
export interface LogLine {
  level: LogLevel
  /** ISO 8601. */
  time: string
  component: string
  msg: string
  [field: string]: unknown
}

/** Lines kept for whoever asks later, and waiting at most for one slow reader. */
export const RING_LINES = 1000

/** The last lines of the log, and those to come. */
export class LogRing {
  readonly #limit: number
  readonly #lines: string[] = []
  readonly #listeners = new Set<(line: string) => void>()
  #oldest = 0

  constructor(limit: number = RING_LINES) {
    this.#limit = limit
  }

  push(line: string): void {
    if (this.#lines.length < this.#limit) this.#lines.push(line)
    else {
      this.#lines[this.#oldest] = line
      this.#oldest = (this.#oldest + 1) % this.#limit
    }
    for (const listener of this.#listeners) listener(line)
  }

  /** Oldest first. */
  recent(): LogLine[] {
    return [...this.#lines.slice(this.#oldest), ...this.#lines.slice(0, this.#oldest)].map(parse)
  }

  /** @returns a function that ends it */
  subscribe(listener: (line: LogLine) => void): () => void {
    const parsed = (line: string) => listener(parse(line))
    this.#listeners.add(parsed)
    return () => void this.#listeners.delete(parsed)
  }

  /** The recent lines and then the new ones until the signal; a reader that is too slow misses the oldest. */
  async *tail(signal: AbortSignal): AsyncGenerator<LogLine> {
    const waiting = this.recent()
    let wake = Promise.withResolvers<void>()
    const stop = () => wake.resolve()
    const end = this.subscribe((line) => {
      if (waiting.push(line) > this.#limit) waiting.shift()
      wake.resolve()
    })
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted) {
        const line = waiting.shift()
        if (line !== undefined) yield line
        else {
          await wake.promise
          wake = Promise.withResolvers<void>()
        }
      }
    } finally {
      end()
      signal.removeEventListener('abort', stop)
    }
  }
}

function parse(line: string): LogLine {
  return JSON.parse(line) as LogLine
}
