import { CodedError } from '../../../protocols/shared/errors.ts'
import type { Reading } from '../goertzel.ts'
import type { SignalConfig } from './config.ts'
import type { Clock, OnIngestEvent } from './events.ts'
import type { Lines } from './lines.ts'
import { MAX_LINE_CHARS } from './lines.ts'
import type { Columns, Row, RowReader } from './rows.ts'
import { columnsOf, csvReader, ndjsonReader, numberIn } from './rows.ts'

export interface ReadingsOptions {
  readonly config: SignalConfig
  readonly onEvent: OnIngestEvent
  /** gives arrival times to a live stream that has neither times nor a rate */
  readonly clock: Clock
  /** seconds added to every time: a recording that starts over goes on from here */
  readonly offset?: number
}

/**
 * Turns lines into readings, one batch per batch of lines; a blank line is skipped.
 *
 * @returns a transform for it-pipe. It throws, or yields an invalid reading in place of the line under
 *   `on_bad_sample: invalid`, a CodedError naming the line: E_INPUT_NUMBER, E_INPUT_TIME, E_INPUT_SYNTAX, E_INPUT_LINE.
 *   It always throws E_INPUT_COLUMN: no later line can mend a header
 */
export function readings(options: ReadingsOptions): (source: AsyncIterable<Lines>) => AsyncGenerator<Reading[]> {
  return async function* (source) {
    const parser = new Parser(options)
    for await (const batch of source) {
      const parsed = parser.batch(batch)
      if (parsed.length > 0) yield parsed
    }
  }
}

class Parser {
  readonly #options: ReadingsOptions
  readonly #columns: Columns
  readonly #started: number
  #read: RowReader | undefined
  #count = 0
  #last = -Infinity

  constructor(options: ReadingsOptions) {
    this.#options = options
    this.#columns = columnsOf(options.config)
    this.#started = options.clock.now()
  }

  batch({ first, lines }: Lines): Reading[] {
    const parsed: Reading[] = []
    for (const [at, line] of lines.entries()) {
      const reading = line === '' ? undefined : this.#line(line, first + at)
      if (reading !== undefined) parsed.push(reading)
    }
    return parsed
  }

  #line(line: string | null, number: number): Reading | undefined {
    if (this.#read === undefined && line !== null) {
      const isJson = (this.#options.config.format ?? (line.trimStart().startsWith('{') ? 'ndjson' : 'csv')) === 'ndjson'
      this.#read = isJson ? ndjsonReader(this.#columns) : csvReader(line, this.#columns)
      if (!isJson) return undefined
    }
    try {
      return this.#reading(line)
    } catch (error) {
      if (error instanceof CodedError) return this.#bad(error, number)
      throw error
    }
  }

  #reading(line: string | null): Reading {
    if (line === null || this.#read === undefined) {
      throw new CodedError('E_INPUT_LINE', `longer than ${MAX_LINE_CHARS} characters`)
    }
    const row = this.#read(line)
    const time = this.#time(row)
    if (time <= this.#last) throw new CodedError('E_INPUT_TIME', `time ${time} s does not follow ${this.#last} s`)
    const value = numberIn(row.value, this.#columns.value)
    const { reference } = this.#columns
    const phase = reference === undefined ? value : value - numberIn(row.reference, reference)
    this.#count += 1
    this.#last = time
    return { time, value: phase, valid: true }
  }

  #bad(error: CodedError, line: number): Reading | undefined {
    const { config, onEvent, offset = 0 } = this.#options
    const placed = new CodedError(error.code, `line ${line}: ${error.message}`, {
      hint: error.hint ?? 'mend the line, or set on_bad_sample to invalid to go on without it',
      cause: error,
    })
    if (config.on_bad_sample !== 'invalid') throw placed
    onEvent({ type: 'bad-sample', line, error: placed })
    // Under a bare rate the lost reading still takes its place; otherwise its time is not to be trusted.
    if (config.rate_hz !== undefined && config.time_column === undefined)
      this.#last = offset + this.#count / config.rate_hz
    this.#count += 1
    return this.#last === -Infinity ? undefined : { time: this.#last, value: 0, valid: false }
  }

  #time(row: Row): number {
    const { config, clock, offset = 0 } = this.#options
    if (row.time !== undefined) return offset + numberIn(row.time, config.time_column ?? 't')
    if (config.rate_hz !== undefined) return offset + this.#count / config.rate_hz
    // Lines that arrive together are kept apart by a microsecond.
    return Math.max((clock.now() - this.#started) / 1000, this.#last + 1e-6)
  }
}
