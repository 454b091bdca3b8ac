/** One point of a curve of |T|² over time. */
export interface PlotPoint {
  /** seconds, not decreasing */
  readonly time: number
  /** in [0, 1] */
  readonly value: number
}

export interface PlotOptions {
  /** first line; carries the false-alarm rate wherever coherence is shown */
  readonly title: string
  /** the line to draw across, in (0, 1) */
  readonly threshold: number
  /** characters, axis included; default 72 */
  readonly width?: number
  readonly colour?: boolean
}

const ROWS = 10
const AXIS = 6
// Bits of a braille cell (U+2800 + bits), by column, then row.
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const

/**
 * A curve in braille dots, two by four to a character, between 0 and 1.
 *
 * @returns lines ending in a line feed
 */
export function terminalPlot(points: readonly PlotPoint[], options: PlotOptions): string {
  const { title, threshold, width = 72, colour = false } = options
  const columns = Math.max(10, width - AXIS)
  const cells = brailleCells(points, columns)
  const thresholdRow = Math.min(ROWS - 1, Math.floor((1 - threshold) * ROWS))
  const [green, dim, plain] = colour ? ['\u001b[32m', '\u001b[2m', '\u001b[0m'] : ['', '', '']
  const drawn = cells.map((row, at) => {
    const empty = at === thresholdRow ? '╌' : ' '
    const text = Array.from(row, (bits) => (bits === 0 ? empty : String.fromCodePoint(0x2800 + bits))).join('')
    return `${dim}${label(at, thresholdRow, threshold)}┤${plain}${green}${text.trimEnd()}${plain}`
  })
  const last = points.at(-1)?.time ?? 0
  const [from, to] = [seconds(points[0]?.time ?? 0), seconds(last)]
  const base = `${' '.repeat(AXIS - 1)}${dim}└${'─'.repeat(columns)}${plain}`
  const scale = `${' '.repeat(AXIS)}${from}${to.padStart(Math.max(1, columns - from.length))}`
  return `${[title, ...drawn, base, scale].join('\n')}\n`
}

function label(row: number, thresholdRow: number, threshold: number): string {
  const text = row === thresholdRow ? threshold.toFixed(2) : row === ROWS - 1 ? '0.00' : ''
  return text.padStart(AXIS - 1)
}

function brailleCells(points: readonly PlotPoint[], columns: number): Uint8Array[] {
  const cells = Array.from({ length: ROWS }, () => new Uint8Array(columns))
  const first = points[0]?.time ?? 0
  const span = (points.at(-1)?.time ?? 0) - first
  for (const { time, value } of points) {
    const x = span > 0 ? Math.round(((time - first) / span) * (2 * columns - 1)) : 0
    const y = Math.round((1 - Math.min(1, Math.max(0, value))) * (4 * ROWS - 1))
    const row = cells[y >> 2]
    const dots = DOTS[x % 2 === 0 ? 0 : 1]
    if (row !== undefined) row[x >> 1] = (row[x >> 1] ?? 0) | (dots[y & 3] ?? 0)
  }
  return cells
}

function seconds(time: number): string {
  return `${Number(time.toPrecision(6))} s`
}

const SVG_WIDTH = 800
const SVG_HEIGHT = 260
const MARGIN = { left: 50, right: 15, top: 35, bottom: 30 }

export interface SvgOptions extends Pick<PlotOptions, 'title' | 'threshold'> {
  /** [from, to] in seconds, shaded */
  readonly intervals: readonly (readonly [number, number])[]
}

/** The same curve as a picture, with the intervals of collapse shaded. */
export function svgPlot(points: readonly PlotPoint[], options: SvgOptions): string {
  const first = points[0]?.time ?? 0
  const last = points.at(-1)?.time ?? 0
  const inner = SVG_WIDTH - MARGIN.left - MARGIN.right
  const x = (time: number) => fixed(MARGIN.left + (last > first ? ((time - first) / (last - first)) * inner : 0))
  const y = (value: number) => fixed(MARGIN.top + (1 - value) * (SVG_HEIGHT - MARGIN.top - MARGIN.bottom))
  const [left, right, floor] = [x(first), MARGIN.left + inner, y(0)]
  const bands = options.intervals.map(([from, to]) => {
    const width = fixed(Math.max(1, x(to) - x(from)))
    return `<rect x="${x(from)}" y="${y(1)}" width="${width}" height="${fixed(floor - y(1))}" fill="#2a9d8f" opacity=".18"/>`
  })
  const curve = points.map(({ time, value }) => `${x(time)},${y(value)}`).join(' ')
  const level = y(options.threshold)
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SVG_WIDTH} ${SVG_HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${SVG_WIDTH}" height="${SVG_HEIGHT}" fill="#fff"/>`,
    `<text x="${left}" y="20">${escaped(options.title)}</text>`,
    ...bands,
    `<path d="M${left} ${y(1)}V${floor}H${right}" fill="none" stroke="#888"/>`,
    `<path d="M${left} ${level}H${right}" stroke="#c1121f" stroke-dasharray="5 4"/>`,
    `<polyline points="${curve}" fill="none" stroke="#264653" stroke-width="1.5"/>`,
    `<text x="${left - 6}" y="${level + 4}" text-anchor="end">${options.threshold}</text>`,
    `<text x="${left - 6}" y="${floor}" text-anchor="end">0</text>`,
    `<text x="${left}" y="${SVG_HEIGHT - 10}">${seconds(first)}</text>`,
    `<text x="${right}" y="${SVG_HEIGHT - 10}" text-anchor="end">${seconds(last)}</text>`,
    '</svg>',
  ].join('\n')}\n`
}

function fixed(value: number): number {
  return Number(value.toFixed(1))
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
