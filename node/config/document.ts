import { readFile, realpath } from 'node:fs/promises'
import { Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import { CodedError } from '../../protocols/shared/errors.ts'
import { writeFileDurable } from '../storage/files.ts'
import { isMissing, storageError } from '../storage/storage-error.ts'
import { KEYS, unknownKey } from './keys.ts'
import { parseConfig } from './parse.ts'
import type { Config } from './schema.ts'
import { fromText } from './text.ts'

/** The source document puts everything under this key; ours may stand beside it or inside. */
const WRAPPER = 'becomingone'

/** A configuration file with its comments. */
export class ConfigDocument {
  readonly file: string
  readonly #yaml: Document
  readonly #lines: LineCounter

  private constructor(file: string, yaml: Document, lines: LineCounter) {
    this.file = file
    this.#yaml = yaml
    this.#lines = lines
  }

  /**
   * @param file - a missing one is an empty configuration
   * @throws {CodedError} E_CONFIG_INVALID with the line when it is no YAML; E_STORAGE_*
   */
  static async read(file: string): Promise<ConfigDocument> {
    try {
      return ConfigDocument.parse(await readFile(file, 'utf8'), file)
    } catch (error) {
      if (isMissing(error)) return ConfigDocument.parse('', file)
      throw storageError(error, file)
    }
  }

  static parse(text: string, file: string): ConfigDocument {
    const lines = new LineCounter()
    const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false })
    const fault = yaml.errors[0]
    if (fault !== undefined) throw invalid(`${file}:${lines.linePos(fault.pos[0]).line}: ${fault.message}`)
    if (yaml.contents !== null && !isMap(yaml.contents) && !isEmptyScalar(yaml.contents)) {
      throw invalid(`${file}:1: not a list of keys and values`)
    }
    return new ConfigDocument(file, yaml, lines)
  }

  /** What the file says, the wrapper taken off; keys without a value are as if absent. */
  values(): Record<string, unknown> {
    const { [WRAPPER]: wrapped, ...rest } = (dropEmpty(toPlain(this.#yaml)) ?? {}) as Record<string, unknown>
    if (wrapped === undefined) return rest
    if (wrapped === null || typeof wrapped !== 'object') throw invalid(`${this.file}: ${WRAPPER} holds no sections`)
    const twice = Object.keys(rest).find((key) => key in wrapped)
    if (twice !== undefined) throw invalid(`${this.file}: ${twice} is there twice, inside ${WRAPPER} and beside it`)
    return { ...wrapped, ...rest }
  }

  /** @throws {CodedError} E_CONFIG_UNKNOWN_KEY, E_CONFIG_INVALID */
  validate(): Config {
    return parseConfig(this.values(), (path) => this.place(path))
  }

  /** @returns `FILE:LINE` of the key, or of the nearest section above it */
  place(path: readonly PropertyKey[]): string {
    const full = this.#locate(path)
    for (let depth = full.length; depth > 0; depth--) {
      const start = this.#startOf(full.slice(0, depth))
      if (start !== undefined) return `${this.file}:${this.#lines.linePos(start).line}`
    }
    return this.file
  }

  /**
   * Changes one key; comments and order stay.
   *
   * @param text - the value as typed on a command line
   * @throws {CodedError} E_CONFIG_UNKNOWN_KEY, E_CONFIG_INVALID; the file is untouched then
   */
  set(key: string, text: string): void {
    const info = KEYS.get(key)
    if (info === undefined) throw unknownKey(key)
    const path = this.#locate(key.split('.'))
    for (let depth = 1; depth < path.length; depth++) {
      const section = path.slice(0, depth)
      if (this.#yaml.getIn(section) === null) this.#yaml.setIn(section, this.#yaml.createNode({}))
    }
    this.#yaml.setIn(path, fromText(info, text))
    this.validate()
  }

  /** Replaces the file, through a link to where it points. */
  async write(): Promise<void> {
    await writeFileDurable(await realpath(this.file).catch(() => this.file), this.toString())
  }

  toString(): string {
    return this.#yaml.toString()
  }

  #locate(path: readonly PropertyKey[]): PropertyKey[] {
    const wrapped = this.#yaml.hasIn([WRAPPER]) && !this.#yaml.hasIn(path.slice(0, 1))
    return wrapped ? [WRAPPER, ...path] : [...path]
  }

  #startOf(path: PropertyKey[]): number | undefined {
    const parent = this.#yaml.getIn(path.slice(0, -1), true)
    const last = path.at(-1)
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last) : undefined
    const node = pair?.key ?? this.#yaml.getIn(path, true)
    return isNode(node) ? node.range?.[0] : undefined
  }
}

function toPlain(yaml: Document): unknown {
  // maxAliasCount 0 would refuse aliases; the default bounds their expansion.
  return yaml.toJS()
}

function dropEmpty(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, dropEmpty(inner)]),
  )
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.value === null
}

function invalid(message: string): CodedError {
  return new CodedError('E_CONFIG_INVALID', message, {
    hint: 'mend the line; kairos config validate checks the file again',
  })
}
