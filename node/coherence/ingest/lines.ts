export const MAX_LINE_CHARS = 64 * 1024

/** Consecutive lines of a text; null stands for one that was too long and has been dropped. */
export interface Lines {
  /** number of the first, from 1 */
  readonly first: number
  readonly lines: readonly (string | null)[]
}

/**
 * Cuts chunks of UTF-8 into lines, one batch per chunk. Memory stays under one chunk and one line.
 *
 * @returns a transform for it-pipe; ends of line may be LF or CRLF, a byte-order mark is dropped
 */
export function lines(): (source: AsyncIterable<Uint8Array>) => AsyncGenerator<Lines> {
  return async function* (source) {
    const decoder = new TextDecoder()
    let first = 1
    let rest = ''
    let dropping = false
    for await (const chunk of source) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      const whole: (string | null)[] = parts.map(trimmed)
      if (dropping && whole.length > 0) whole[0] = null
      dropping = rest.length > MAX_LINE_CHARS || (dropping && whole.length === 0)
      if (dropping) rest = ''
      if (whole.length > 0) yield { first, lines: whole }
      first += whole.length
    }
    rest += decoder.decode()
    if (dropping || rest !== '') yield { first, lines: [dropping ? null : trimmed(rest)] }
  }
}

function trimmed(line: string): string | null {
  if (line.length > MAX_LINE_CHARS) return null
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
