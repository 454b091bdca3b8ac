import { ConfigDocument } from './document.ts'
import { KEYS, unknownKey } from './keys.ts'
import { parseConfig } from './parse.ts'
import type { Config } from './schema.ts'
import { fromText, fromVariables, variableOf } from './text.ts'

export type Source = 'flag' | 'variable' | 'file' | 'default'

export interface LoadOptions {
  /** The YAML file (`Paths.config`); without it, or when it is missing, nothing comes from a file. */
  path?: string | undefined
  /** `process.env` unless told. */
  env?: NodeJS.ProcessEnv
  /** Values by dotted key, as text or as they are; undefined ones are not given. */
  flags?: Readonly<Record<string, unknown>>
}

export interface LoadedConfig {
  config: Config
  /** Where the value of each key that holds one is from. */
  sources: Record<string, Source>
}

/**
 * Flag > `KAIROS_*` variable > file > default. `checkConfig` says whether the result makes sense
 * as a whole: this only reads it, so that `config show` works on one that does not.
 *
 * @throws {CodedError} E_CONFIG_UNKNOWN_KEY, E_CONFIG_INVALID naming file and line, variable or flag
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const document = options.path === undefined ? undefined : await ConfigDocument.read(options.path)
  const raw = document?.values() ?? {}
  const sources = new Map(leaves(raw).map((key): [string, Source] => [key, 'file']))
  const apply = (values: Iterable<[string, unknown]>, source: Source) => {
    for (const [key, value] of values) {
      setIn(raw, key.split('.'), value)
      sources.set(key, source)
    }
  }
  apply(fromVariables(options.env ?? process.env), 'variable')
  apply(fromFlags(options.flags ?? {}), 'flag')
  const config = parseConfig(raw, (path) => {
    const key = path.filter((part) => typeof part === 'string').join('.')
    const source = sources.get(key)
    if (source === 'flag') return `flag for ${key}`
    return source === 'variable' ? variableOf(key) : (document?.place(path) ?? 'configuration')
  })
  return { config, sources: sourcesOfAll(sources) }
}

function fromFlags(flags: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(flags)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const info = KEYS.get(key)
      if (info === undefined) throw unknownKey(key)
      return [key, typeof value === 'string' ? fromText(info, value) : value]
    })
}

function sourcesOfAll(given: ReadonlyMap<string, Source>): Record<string, Source> {
  const leafKeys = [...KEYS.values()].filter(({ key, type }) => type !== 'section' && !key.includes('[]'))
  return Object.fromEntries(leafKeys.map(({ key }) => [key, given.get(key) ?? 'default']))
}

function leaves(value: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(value).flatMap(([name, inner]) =>
    isSection(inner) ? leaves(inner, `${prefix}${name}.`) : [`${prefix}${name}`],
  )
}

function setIn(target: Record<string, unknown>, path: string[], value: unknown): void {
  const [name = '', ...rest] = path
  if (rest.length === 0) {
    target[name] = value
    return
  }
  const inner = target[name]
  const section = isSection(inner) ? inner : {}
  target[name] = section
  setIn(section, rest, value)
}

function isSection(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
