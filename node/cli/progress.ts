import type { Io } from './io.ts'
import { humanSize } from './text.ts'

const REFRESH_MS = 100

/** One line on stderr that counts bytes; nothing where nobody looks. */
export interface Progress {
  /** Counts what passes through. */
  count(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
  /** Wipes the line, for other output or for good. */
  clear(): void
}

/** @param what - `added`, `received` */
export function createProgress(io: Io, what: string): Progress {
  const { flags, stderr } = io
  const shown = stderr.isTTY === true && flags.progress && flags.quiet === undefined && flags.json === undefined
  let bytes = 0
  let drawn = 0
  const started = performance.now()
  const draw = (now: number) => {
    drawn = now
    const rate = bytes / Math.max(0.001, (now - started) / 1000)
    stderr.write(`\r\u001b[K${what} ${humanSize(bytes)}, ${humanSize(rate)}/s`)
  }
  return {
    async *count(chunks) {
      for await (const chunk of chunks) {
        bytes += chunk.length
        const now = performance.now()
        if (shown && now - drawn > REFRESH_MS) draw(now)
        yield chunk
      }
    },
    clear() {
      if (shown && drawn > 0) stderr.write('\r\u001b[K')
    },
  }
}
