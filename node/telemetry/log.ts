import type { ComponentLogger, Logger } from '@libp2p/interface'
import { pino } from 'pino'
import { CodedError } from '../../protocols/shared/errors.ts'
import { LOG_LEVELS, type LogLevel } from '../config/sections-source.ts'
import { loggable } from './log-fields.ts'
import { formatLibraryLine } from './log-format.ts'
import { LogRing, type LogLine } from './log-ring.ts'
import { formatText } from './log-text.ts'

/** The one logger: libp2p's and Helia's, and with constant texts and fields, ours. */
export interface Log extends Logger {
  debug(text: string, fields?: Fields): void
  /** Lifecycle, leader changes, decided heights. */
  info(text: string, fields?: Fields): void
  warn(text: string, fields?: Fields): void
  newScope(name: string): Log
}

export type Fields = Readonly<Record<string, unknown>>

/** The log of a node. */
export interface NodeLog extends ComponentLogger {
  /** Names of ours begin with `kairos`, parts divided by `:`. */
  forComponent(name: string): Log
  /**
   * For one component and those below it, or for all that have no level of their own.
   *
   * @returns all levels, `*` being the rest
   * @throws {CodedError} E_LOG_LEVEL
   */
  setLevel(level: string, component?: string): Record<string, LogLevel>
  recent(): LogLine[]
  subscribe(listener: (line: LogLine) => void): () => void
  tail(signal: AbortSignal): AsyncIterable<LogLine>
}

export interface LogOptions {
  level: LogLevel
  format: 'structured' | 'text'
  /** Takes whole lines; stderr unless told. */
  write?: (line: string) => void
}

const REST = '*'
/**
 * Libraries report every refused dial as an error; what matters of it reaches us as a thrown
 * error or an event. Ours is an error when someone must act.
 */
const LIBRARY_ERROR: LogLevel = 'debug'
const SEVERITY: Readonly<Record<LogLevel, number>> = Object.fromEntries(
  LOG_LEVELS.map((level, index) => [level, index]),
) as Record<LogLevel, number>

/** Levels by component; `generation` tells the loggers that what they know is out of date. */
class Levels {
  generation = 0
  readonly #levels: Map<string, LogLevel>

  constructor(level: LogLevel) {
    this.#levels = new Map([[REST, level]])
  }

  set(level: string, component: string): Record<string, LogLevel> {
    const wanted = level.toLowerCase() as LogLevel
    if (!LOG_LEVELS.includes(wanted)) {
      throw new CodedError('E_LOG_LEVEL', `there is no log level ${level}`, { hint: `one of ${LOG_LEVELS.join(', ')}` })
    }
    this.#levels.set(component, wanted)
    this.generation++
    return Object.fromEntries(this.#levels)
  }

  /** @returns severity that a line of the component must reach: the level of its nearest ancestor */
  threshold(component: string): number {
    for (let name = component; name !== ''; name = name.slice(0, Math.max(name.lastIndexOf(':'), 0))) {
      const level = this.#levels.get(name)
      if (level !== undefined) return SEVERITY[level]
    }
    return SEVERITY[this.#levels.get(REST) ?? 'info']
  }
}

type Emit = (level: LogLevel, component: string, text: string, fields: Fields) => void

export function createLog(options: LogOptions): NodeLog {
  const levels = new Levels(options.level)
  const ring = new LogRing()
  const { write = (line: string) => void process.stderr.write(line) } = options
  const sink = (line: string) => {
    ring.push(line)
    write(options.format === 'text' ? formatText(JSON.parse(line) as LogLine) : line)
  }
  const lines = pino(
    {
      level: 'trace',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: sink },
  )
  const emit: Emit = (level, component, text, fields) => {
    if (level !== 'silent') lines[level]({ component, ...(loggable(fields) as Fields) }, text)
  }
  return {
    forComponent: (name) => createLogger(name, levels, emit),
    setLevel: (level, component = REST) => levels.set(level, component),
    recent: () => ring.recent(),
    subscribe: (listener) => ring.subscribe(listener),
    tail: (signal) => ring.tail(signal),
  }
}

/** Nothing is formatted, and nothing allocated but by the caller, for a line that is not written. */
function createLogger(component: string, levels: Levels, emit: Emit): Log {
  let generation = -1
  let threshold = 0
  const enabled = (level: LogLevel) => {
    if (generation !== levels.generation) {
      threshold = levels.threshold(component)
      generation = levels.generation
    }
    return SEVERITY[level] >= threshold
  }
  const own =
    (level: LogLevel) =>
    (text: string, fields: Fields = {}) => {
      if (enabled(level)) emit(level, component, text, fields)
    }
  const library =
    (level: LogLevel) =>
    (...args: unknown[]) => {
      if (!enabled(level)) return
      const { message, ...rest } = formatLibraryLine(args)
      emit(level, component, message, rest)
    }
  const isOurs = component === 'kairos' || component.startsWith('kairos:')
  const log = Object.assign(library('debug'), {
    trace: library('trace'),
    debug: own('debug'),
    info: own('info'),
    warn: own('warn'),
    error: isOurs ? own('error') : library(LIBRARY_ERROR),
    newScope: (name: string) => createLogger(`${component}:${name}`, levels, emit),
  })
  return Object.defineProperty(log, 'enabled', { get: () => enabled('debug') }) as Log
}
