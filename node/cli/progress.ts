import type { Io } from './io.ts'
import { humanSize } from './text.ts'

const REFRESH_MS = 100

/** One line on stderr that is written over; nothing where nobody looks. */
export interface StatusLine {
  /** Shown at most ten times a second. */
  show(text: () => string): void
  /** Wipes the line, for other output or for good. */
  clear(): void
}

/** Counts bytes on a line of status. */
export interface Progress extends Pick<StatusLine, 'clear'> {
  /** Counts what passes through. */
  count(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
}

export function createStatusLine({ flags, stderr }: Io): StatusLine {
  const shown = stderr.isTTY === true && flags.progress && flags.quiet === undefined && flags.json === undefined
  let drawn = 0
  return {
    show(text) {
      const now = performance.now()
      if (!shown || now - drawn <= REFRESH_MS) return
      drawn = now
      stderr.write(`\r\u001b[K${fitting(text(), stderr.columns)}`)
    },
    clear() {
      if (drawn > 0) stderr.write('\r\u001b[K')
    },
  }
}

/** A line that wraps could not be wiped. */
function fitting(text: string, columns = 80): string {
  return text.length < columns ? text : `${text.slice(0, columns - 2)}…`
}

/** @param what - `added`, `received` */
export function createProgress(io: Io, what: string): Progress {
  const line = createStatusLine(io)
  const started = performance.now()
  let bytes = 0
  const text = () => `${what} ${humanSize(bytes)}, ${humanSize(rate(bytes, started))}/s`
  return {
    async *count(chunks) {
      for await (const chunk of chunks) {
        bytes += chunk.length
        line.show(text)
        yield chunk
      }
    },
    clear: () => line.clear(),
  }
}

/** @param started - as `performance.now()` told it */
export function rate(count: number, started: number): number {
  return count / Math.max(0.001, (performance.now() - started) / 1000)
}

/** @returns for example `45 %`; empty when the total is not known */
export function percent(part: number, total: number | null | undefined): string {
  if (total === null || total === undefined || total <= 0) return ''
  return `${Math.min(100, Math.floor((100 * part) / total))} %`
}
