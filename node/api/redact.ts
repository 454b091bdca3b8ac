const SECRET = /(^|_)(key|token|secret|password|ticket)$/

/** A copy in which whatever is named like a secret is hidden. */
export function redact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redact)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) =>
      typeof inner === 'string' && SECRET.test(name) ? [name, '(hidden)'] : [name, redact(inner)],
    ),
  )
}
