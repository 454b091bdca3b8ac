import { z } from 'zod'
import { CodedError } from '../../protocols/shared/errors.ts'
import { configSchema, type Config } from './schema.ts'

/** One key that a configuration may have: what the reference in the docs is made of. */
export interface KeyInfo {
  /** Dotted, `[]` after a list: `sync.mesh.peers[].host`. */
  key: string
  /** `section` holds other keys. */
  type: 'section' | 'text' | 'number' | 'boolean' | 'list'
  allowed: string
  default: unknown
  description: string
}

/** The part of JSON Schema that our schema uses. */
interface Node {
  type?: string
  description?: string
  default?: unknown
  properties?: Record<string, Node>
  items?: Node
  enum?: unknown[]
  const?: unknown
  anyOf?: Node[]
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
}

const root = z.toJSONSchema(configSchema, { io: 'input' }) as Node

/** Every key, sections before what they hold. */
export const KEYS: ReadonlyMap<string, KeyInfo> = new Map(walk(root, '').map((info) => [info.key, info]))

/** @returns dotted key of a path; list entries as `[0]`, or `[]` with `generic` */
export function formatKey(path: readonly PropertyKey[], generic = false): string {
  return path
    .map((part) => (typeof part === 'number' ? (generic ? '[]' : `[${part}]`) : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')
}

/** @returns what is known of the key at `path` */
export function keyAt(path: readonly PropertyKey[]): KeyInfo | undefined {
  return KEYS.get(formatKey(path, true))
}

/** @throws {CodedError} E_CONFIG_UNKNOWN_KEY */
export function getKey(config: Config, key: string): unknown {
  if (!KEYS.has(key)) throw unknownKey(key)
  return key.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], config)
}

/** @param place - where it was found, ends the sentence */
export function unknownKey(key: string, place = ''): CodedError {
  return new CodedError('E_CONFIG_UNKNOWN_KEY', `${place}unknown key ${key}`, {
    hint: `did you mean ${nearestKey(key)}?`,
  })
}

/** @returns the known key that is fewest edits away; on a tie one of the same section */
export function nearestKey(key: string): string {
  const [section, name] = split(key.replace(/\[\d+\]/g, '[]'))
  const spelled = snakeCase(name)
  const distance = (known: string) => {
    const [knownSection, knownName] = split(known)
    return (
      editDistance(spelled, knownName) +
      (knownSection === section ? 0 : 0.5 + editDistance(section, knownSection) / 100)
    )
  }
  return [...KEYS.keys()].reduce((best, known) => (distance(known) < distance(best) ? known : best))
}

function walk(node: Node, key: string): KeyInfo[] {
  const inner = Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    walk(child, key === '' ? name : `${key}.${name}`),
  )
  const items = node.items?.properties === undefined ? [] : walk(node.items, `${key}[]`)
  return key === '' || key.endsWith('[]') ? inner : [describe(node, key), ...inner, ...items]
}

function describe(node: Node, key: string): KeyInfo {
  const types = { object: 'section', boolean: 'boolean', array: 'list', number: 'number', integer: 'number' } as const
  const type = types[(node.anyOf?.[0] ?? node).type as keyof typeof types] ?? 'text'
  const initial = type === 'section' ? undefined : node.default
  return { key, type, allowed: allowed(node), default: initial, description: node.description ?? '' }
}

function allowed(node: Node): string {
  if (node.anyOf !== undefined) return node.anyOf.map(allowed).join(' or ')
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`
  if (node.const !== undefined) return String(node.const)
  if (node.type === 'boolean') return 'true or false'
  if (node.type === 'integer') return `a whole number${bounds(node)}`
  if (node.type === 'number') return `a number${bounds(node)}`
  if (node.type === 'array') return `a list, each entry ${allowed(node.items ?? {})}`
  if (node.type === 'object') return `keys ${Object.keys(node.properties ?? {}).join(', ')}`
  return 'text'
}

function bounds(node: Node): string {
  const parts = [
    node.minimum === undefined ? '' : `≥ ${node.minimum}`,
    node.exclusiveMinimum === undefined ? '' : `> ${node.exclusiveMinimum}`,
    node.maximum === undefined || node.maximum === Number.MAX_SAFE_INTEGER ? '' : `≤ ${node.maximum}`,
    node.exclusiveMaximum === undefined ? '' : `< ${node.exclusiveMaximum}`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`
}

function split(key: string): [section: string, name: string] {
  const dot = key.lastIndexOf('.')
  return [key.slice(0, Math.max(dot, 0)), key.slice(dot + 1)]
}

function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase()
}

/** Levenshtein distance. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
