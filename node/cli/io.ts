import type { Readable, Writable } from 'node:stream'
import { once } from 'node:events'

/** Flags that every verb takes; each also has a `KAIROS_` variable. */
export interface GlobalFlags {
  json?: true
  api?: string
  token?: string
  path?: string
  timeout?: number
  quiet?: true
  progress: boolean
  debug?: true
}

/** The outside of the process, so that a test can be one. */
export interface Streams {
  stdin: Readable & { isTTY?: boolean }
  stdout: Writable & { isTTY?: boolean; columns?: number }
  stderr: Writable & { isTTY?: boolean; columns?: number }
  env: NodeJS.ProcessEnv
}

/** What a verb sees of the terminal. stdout carries data only; everything else goes to stderr. */
export interface Io extends Streams {
  readonly flags: GlobalFlags
  /** Aborts at Ctrl-C and when `--timeout` is over; its reason is the error to end with. */
  readonly signal: AbortSignal
  /** Exit code of a verb that did its work but has bad news (`status`, `doctor`). */
  exitCode: number
  /** Prints one document: JSON under `--json`, else the text. */
  document(value: unknown, text: () => string): Promise<void>
  /** Prints one item of a stream: an NDJSON line under `--json`, else the text. */
  row(value: unknown, text: () => string): Promise<void>
  /** Writes data as it is, waiting while the reader is slow. */
  write(data: string | Uint8Array): Promise<void>
  /** Tells a person something on stderr, unless `-q`. */
  note(text: string): void
}

export function createIo(streams: Streams, flags: () => GlobalFlags, signal: AbortSignal): Io {
  async function write(data: string | Uint8Array): Promise<void> {
    if (!streams.stdout.write(data)) await once(streams.stdout, 'drain', { signal })
  }
  const line = (text: string) => write(text.endsWith('\n') || text === '' ? text : `${text}\n`)
  return {
    ...streams,
    get flags() {
      return flags()
    },
    signal,
    exitCode: 0,
    write,
    document: (value, text) => line(flags().json ? JSON.stringify(value, null, 2) : text()),
    row: (value, text) => line(flags().json ? JSON.stringify(value) : text()),
    note(text) {
      if (!flags().quiet) streams.stderr.write(`${text}\n`)
    },
  }
}

/** Colours only where a person looks and has not said no (https://no-color.org). */
export function colours(io: Pick<Io, 'env'>, stream: { isTTY?: boolean }): boolean {
  const { NO_COLOR, TERM } = io.env
  return stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb'
}
