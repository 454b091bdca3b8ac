import { toString } from 'uint8arrays/to-string'
import { errorText, loggable } from './log-fields.ts'

/** The letters of libp2p's format strings (its @libp2p/logger), besides those of `util.format`. */
const FORMATTERS: Record<string, (value: unknown) => string> = {
  p: text,
  c: text,
  k: text,
  a: text,
  s: text,
  d: text,
  i: text,
  f: text,
  e: errorText,
  b: (value) => bytes(value, 'base58btc'),
  t: (value) => bytes(value, 'base32'),
  m: (value) => bytes(value, 'base64'),
  o: data,
  O: data,
  j: data,
}

/** A log line of a library: the text, and the stack of an error among its values. */
export interface Formatted {
  message: string
  stack?: string
}

/** @param args - a format string and its values, or any values */
export function formatLibraryLine(args: readonly unknown[]): Formatted {
  const [first, ...values] = args
  const error = args.find((value) => value instanceof Error)
  const message = typeof first === 'string' ? fill(first, values) : args.map(text).join(' ')
  return error?.stack === undefined ? { message } : { message, stack: error.stack }
}

function fill(format: string, values: unknown[]): string {
  let next = 0
  const filled = format.replace(/%([a-zA-Z%])/g, (match, letter: string) => {
    if (letter === '%') return '%'
    const formatter = FORMATTERS[letter]
    return formatter === undefined || next >= values.length ? match : formatter(values[next++])
  })
  return [filled, ...values.slice(next).map(text)].join(' ')
}

function text(value: unknown): string {
  if (value === undefined || value === null) return 'undefined'
  if (value instanceof Error) return errorText(value)
  return typeof value === 'object' ? data(value) : String(value)
}

function data(value: unknown): string {
  const shown = loggable(value)
  return typeof shown === 'string' ? shown : JSON.stringify(shown)
}

function bytes(value: unknown, encoding: 'base58btc' | 'base32' | 'base64'): string {
  return value instanceof Uint8Array ? toString(value, encoding) : text(value)
}
