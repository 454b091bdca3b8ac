import { CodedError } from '../../../protocols/shared/errors.ts'
import type { SignalConfig } from './config.ts'

/** The texts of one row that matter; `time` undefined when the stream has none. */
export interface Row {
  readonly value: unknown
  readonly reference: unknown
  readonly time: unknown
}

/** Reads a line as a row. @throws CodedError E_INPUT_SYNTAX, without line number */
export type RowReader = (line: string) => Row

/** Names of the columns that a configuration asks for. */
export interface Columns {
  readonly value: string
  readonly reference: string | undefined
  readonly time: string | undefined
}

export function columnsOf(config: SignalConfig): Columns {
  const value = config.block === undefined ? (config.phase_column ?? 'phase') : (config.column ?? 'value')
  return { value, reference: config.reference_column, time: config.time_column }
}

/**
 * Reader for a CSV with this header line (RFC 4180 quoting, no line breaks inside a field).
 *
 * @throws CodedError E_INPUT_COLUMN when a column is not in the header, listing those that are
 */
export function csvReader(header: string, columns: Columns): RowReader {
  const names = csvFields(header).map((name) => name.trim())
  const indexOf = (name: string | undefined) => (name === undefined ? -1 : columnIndex(names, name))
  const value = indexOf(columns.value)
  const reference = indexOf(columns.reference)
  const time = indexOf(columns.time)
  return (line) => {
    const fields = csvFields(line)
    return {
      value: fields[value] ?? '',
      reference: fields[reference] ?? '',
      time: time < 0 ? undefined : (fields[time] ?? ''),
    }
  }
}

function columnIndex(names: readonly string[], name: string): number {
  const index = names.indexOf(name)
  if (index >= 0) return index
  throw new CodedError('E_INPUT_COLUMN', `line 1: there is no column "${name}"`, {
    hint: `the columns are: ${names.slice(0, 32).join(', ').slice(0, 512)}`,
  })
}

function csvFields(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  const fields: string[] = []
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
  }
  return fields
}

/** Reader for NDJSON objects; the time is under the configured key, else under `t`. */
export function ndjsonReader(columns: Columns): RowReader {
  return (line) => {
    const row = parseObject(line)
    return {
      value: row[columns.value] ?? '',
      reference: columns.reference === undefined ? undefined : (row[columns.reference] ?? ''),
      time: columns.time === undefined ? row['t'] : (row[columns.time] ?? ''),
    }
  }
}

function parseObject(line: string): Record<string, unknown> {
  try {
    const row: unknown = JSON.parse(line)
    if (row !== null && typeof row === 'object') return row as Record<string, unknown>
  } catch {
    // said below, with the line's beginning instead of the parser's words
  }
  throw new CodedError('E_INPUT_SYNTAX', `not a JSON object: ${excerpt(line)}`)
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/**
 * A finite decimal number out of a cell or a JSON value.
 *
 * @throws CodedError E_INPUT_NUMBER, without line number
 */
export function numberIn(cell: unknown, name: string): number {
  const text = typeof cell === 'string' ? cell.trim() : cell
  const value = typeof text === 'number' ? text : typeof text === 'string' && NUMBER.test(text) ? Number(text) : NaN
  if (Number.isFinite(value)) return value
  const what = text === '' ? 'is empty' : `is not a finite number: ${excerpt(String(text))}`
  throw new CodedError('E_INPUT_NUMBER', `${name} ${what}`)
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}
