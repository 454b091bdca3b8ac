import { parse } from 'yaml'
import { KEYS, unknownKey, type KeyInfo } from './keys.ts'

/** Variables that are not configuration keys: the command line reads them. */
const PREFIX = 'KAIROS_'

/**
 * A value as typed on a command line or in a variable: text as it is, lists as `a,b` or `[a, b]`,
 * the rest as YAML. What does not fit the key is left for the schema to refuse.
 */
export function fromText(info: KeyInfo, text: string): unknown {
  if (info.type === 'text') return text
  if (info.type === 'list' && !text.trimStart().startsWith('[')) {
    return text.split(',').flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim()]))
  }
  try {
    return parse(text)
  } catch {
    return text
  }
}

/** @returns `KAIROS_API_PORT` for `api.port` */
export function variableOf(key: string): string {
  return PREFIX + key.replaceAll('.', '_').toUpperCase()
}

const VARIABLES: ReadonlyMap<string, KeyInfo> = new Map(
  [...KEYS.values()].filter(({ key }) => !key.includes('[]')).map((info) => [variableOf(info.key), info]),
)

const SECTION_PREFIXES = [...VARIABLES].filter(([, { type }]) => type === 'section').map(([name]) => `${name}_`)

/**
 * The keys that variables set. The names are looked up whole, since sections and keys have
 * underscores of their own (`KAIROS_SYNC_MESH_ENABLED` is sync.mesh_enabled).
 *
 * @throws {CodedError} E_CONFIG_UNKNOWN_KEY for a variable that begins like a section and is no key of it
 */
export function fromVariables(env: NodeJS.ProcessEnv): Map<string, unknown> {
  const found = new Map<string, unknown>()
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined) continue
    const info = VARIABLES.get(name)
    if (info !== undefined && info.type !== 'section') found.set(info.key, fromText(info, text))
    else if (info === undefined && SECTION_PREFIXES.some((prefix) => name.startsWith(prefix)))
      throw unknownVariable(name)
  }
  return found
}

function unknownVariable(name: string) {
  const [section = '', ...rest] = name.slice(PREFIX.length).toLowerCase().split('_')
  return unknownKey(`${section}.${rest.join('_')}`, `${name}: `)
}
