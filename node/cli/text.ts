// C0 and C1 controls, and the marks that turn the direction of text around.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Makes text of a peer harmless for a terminal: no escape sequences, one line. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '�')
}

/**
 * Left-aligned columns, two spaces apart; a column whose cells are all numbers goes right.
 *
 * @param header - column titles; none for a plain list
 */
export function table(header: string[], rows: string[][]): string {
  const cells = rows.map((row) => row.map(printable))
  const all = header.length === 0 ? cells : [header, ...cells]
  const count = Math.max(0, ...all.map((row) => row.length))
  const columns = Array.from({ length: count }, (_, i) => ({
    width: Math.max(...all.map((row) => (row[i] ?? '').length)),
    right: cells.length > 0 && cells.every((row) => /^-?[\d.]+( ?[A-Za-z%]+)?$|^-?$/.test(row[i] ?? '')),
  }))
  const layOut = (row: string[]) =>
    columns.map(({ width, right }, i) => (right ? (row[i] ?? '').padStart(width) : (row[i] ?? '').padEnd(width)))
  return all.map((row) => `${layOut(row).join('  ').trimEnd()}\n`).join('')
}

/** `label  value` lines. */
export function list(pairs: [label: string, value: string][]): string {
  return table(
    [],
    pairs.map(([label, value]) => [`${label}:`, value]),
  )
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** @returns for example `1.5 MiB` */
export function humanSize(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** step
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${SIZES[step]}`
}

/** @returns for example `3d 4h`, `5m 2s`, `0.4s` */
export function humanDuration(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)}s`
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [Math.floor(seconds) % 60, 's'],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  return parts
    .slice(first, first + 2)
    .map(([value, unit]) => `${value}${unit}`)
    .join(' ')
}

const UNITS: Record<string, number> = { '': 1, ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 }

/**
 * @param text - `90`, `90s`, `1.5h`, `7d`
 * @returns seconds, > 0; undefined when it is not a duration
 */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|[smhd])?$/.exec(text) ?? []
  const seconds = Number(amount) * (UNITS[unit] ?? Number.NaN)
  return seconds > 0 && Number.isFinite(seconds) ? seconds : undefined
}
