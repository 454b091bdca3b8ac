import type { LogLine } from './log-ring.ts'

/** One line for a person; a stack follows, indented. */
export function formatText(line: LogLine): string {
  const { level, time, component, msg, stack, ...fields } = line
  const shown = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const text = [time, level.toUpperCase().padEnd(5), component, msg, ...shown].join(' ')
  return typeof stack === 'string' ? `${text}\n${stack.replace(/^/gm, '    ')}\n` : `${text}\n`
}
