import type { z } from 'zod'
import { CodedError } from '../../protocols/shared/errors.ts'
import { formatKey, keyAt, nearestKey } from './keys.ts'
import { configSchema, type Config } from './schema.ts'

/** Where a value came from, for a person: `config.yaml:12`, `KAIROS_API_PORT`. */
export type Place = (path: readonly PropertyKey[]) => string

type Issue = z.core.$ZodIssue

/**
 * Checks a configuration against the schema and fills in the defaults. All faults are named in
 * one error, a line each.
 *
 * @throws {CodedError} E_CONFIG_UNKNOWN_KEY when any key is unknown, else E_CONFIG_INVALID
 */
export function parseConfig(raw: unknown, place: Place): Config {
  const parsed = configSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const unknown = issues.flatMap((issue) => unknownPaths(issue))
  const faults = issues
    .filter((issue) => issue.code !== 'unrecognized_keys')
    .map((issue) => invalid(issue, valueAt(raw, issue.path), place(issue.path)))
  const message = [...unknown.map((path) => `${place(path)}: unknown key ${formatKey(path)}`), ...faults].join('\n')
  if (unknown.length === 0)
    throw new CodedError('E_CONFIG_INVALID', message, { hint: 'kairos config validate checks it again' })
  const nearest = unknown.map((path) => nearestKey(formatKey(path))).join(', ')
  throw new CodedError('E_CONFIG_UNKNOWN_KEY', message, { hint: `did you mean ${nearest}?` })
}

function unknownPaths(issue: Issue): PropertyKey[][] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : []
}

function invalid(issue: Issue, value: unknown, place: string): string {
  const known = keyAt(issue.path)
  const allowed = issue.code === 'custom' ? issue.message : (known?.allowed ?? issue.message)
  const what = value === undefined ? 'is missing' : `cannot be ${JSON.stringify(value)}`
  return `${place}: ${formatKey(issue.path)} ${what}; allowed: ${allowed}`
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], raw)
}
