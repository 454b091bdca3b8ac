/** Deeper than this a field is named, not shown. */
const MAX_DEPTH = 4
const MAX_ENTRIES = 100
const MAX_TEXT = 8192

/**
 * What of a value may stand in a log: plain data as it is; bytes by their number, so that no key
 * gets out; objects of a class by their own text (peer ids, CIDs, addresses) or else their name.
 */
export function loggable(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value
  if (typeof value === 'bigint' || typeof value === 'symbol') return value.toString()
  if (typeof value === 'function') return '[function]'
  if (value === null || typeof value !== 'object') return value
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `<${value.byteLength} bytes>`
  if (value instanceof Error) return errorFields(value)
  if (depth >= MAX_DEPTH) return Array.isArray(value) ? '[…]' : '{…}'
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((entry) => loggable(entry, depth + 1))
  if (isPlain(value)) {
    const entries = Object.entries(value).slice(0, MAX_ENTRIES)
    return Object.fromEntries(entries.map(([key, entry]) => [key, loggable(entry, depth + 1)]))
  }
  return ownText(value)
}

/** @returns one line for an error and everything that it collects */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return error === undefined || error === null ? 'undefined' : String(error)
  const inner = error instanceof AggregateError ? error.errors.map(errorText).join('; ') : ''
  return `${error.name}: ${error.message}${inner === '' ? '' : ` [${inner}]`}`
}

function errorFields(error: Error): Record<string, unknown> {
  const { code } = error as { code?: unknown }
  return {
    name: error.name,
    message: loggable(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.cause instanceof Error ? { cause: errorText(error.cause) } : {}),
    stack: loggable(error.stack ?? ''),
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function ownText(value: object): string {
  const name = value.constructor.name
  if (value.toString === Object.prototype.toString) return `[${name}]`
  const text = String(value)
  return text.length > MAX_TEXT ? `[${name}]` : text
}
