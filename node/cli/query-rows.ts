import type { QueryRow, QueryTopic } from '../operations.ts'
import { printable } from './text.ts'

/** A column of a streamed table: what to show of a peer's document, which may hold anything. */
type Column = [title: string, width: number, show: (document: Loose) => string]

/** A document of a peer: every step of the way may be missing or of another type. */
class Loose {
  readonly #value: unknown

  constructor(value: unknown) {
    this.#value = value
  }

  at(...path: string[]): Loose {
    const inner = path.reduce<unknown>(
      (value, key) =>
        value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[key] : undefined,
      this.#value,
    )
    return new Loose(inner)
  }

  text(): string {
    return typeof this.#value === 'string' || typeof this.#value === 'number' ? printable(String(this.#value)) : '-'
  }

  number(digits: number): string {
    return typeof this.#value === 'number' ? this.#value.toFixed(digits) : '-'
  }

  flag(yes: string, no: string): string {
    return typeof this.#value === 'boolean' ? (this.#value ? yes : no) : '-'
  }

  list(): Loose[] {
    return Array.isArray(this.#value) ? this.#value.map((item) => new Loose(item)) : []
  }
}

const power = (document: Loose, ...path: string[]): string => document.at(...path, 'magnitudeSquared').number(3)
const state = (document: Loose, ...path: string[]): string =>
  document.at(...path, 'collapsed').flag('collapsed', 'open')
const alarm = (document: Loose, ...path: string[]): string => {
  const rate = Number(document.at(...path, 'falseAlarm').text())
  return Number.isNaN(rate) ? '-' : rate.toExponential(1)
}
/** T_sync where there is a master, else the emissary's. */
const own = (document: Loose): string => (power(document, 'sync') === '-' ? 'emissary' : 'sync')

/** A node tells of its own copy alone. */
const copy = (pin: Loose): Loose => pin.at('copies').list()[0] ?? new Loose(undefined)

const COLUMNS: Readonly<Record<QueryTopic, readonly Column[]>> = {
  status: [
    ['ROLE', 8, (status) => status.at('role').text()],
    ['CELL', 10, (status) => status.at('cell').text()],
    ['VERSION', 9, (status) => status.at('version').text()],
    ['READY', 6, (status) => status.at('ready').flag('yes', 'no')],
    ['PEERS', 6, (status) => status.at('peers', 'connected').text()],
    ['|T|²', 6, (status) => power(status, 'coherence')],
    ['STATE', 10, (status) => state(status, 'coherence')],
    ['FALSE ALARM', 12, (status) => alarm(status, 'coherence')],
  ],
  coherence: [
    ['|T|²', 6, (document) => power(document, own(document))],
    ['STATE', 10, (document) => state(document, own(document))],
    ['FALSE ALARM', 12, (document) => alarm(document, own(document))],
    ['MESH |T|²', 10, (document) => power(document, 'global')],
    ['MESH STATE', 11, (document) => state(document, 'global')],
    ['MESH FALSE ALARM', 17, (document) => alarm(document, 'global')],
  ],
  peers: [
    ['PEER', 53, (peer) => peer.at('peerId').text()],
    ['ITS NAME', 12, (peer) => peer.at('name').text()],
    ['ROLE', 8, (peer) => peer.at('role').text()],
    ['CELL', 10, (peer) => peer.at('cell').text()],
    ['CONNECTED', 10, (peer) => peer.at('connected').flag('yes', 'no')],
  ],
  pins: [
    ['CID', 60, (pin) => pin.at('cid').text()],
    ['NAME', 20, (pin) => pin.at('name').text()],
    ['STATUS', 22, (pin) => copy(pin).at('status').text()],
    ['SINCE', 25, (pin) => copy(pin).at('since').text()],
    ['PROVEN', 25, (pin) => copy(pin).at('proven').text()],
    ['WHY', 0, (pin) => copy(pin).at('reason', 'message').text()],
  ],
  epochs: [
    ['HEIGHT', 10, (epoch) => epoch.at('height').text()],
    ['TIME', 25, (epoch) => epoch.at('time').text()],
    ['ROUND', 6, (epoch) => epoch.at('round').text()],
    ['|T|²', 6, (epoch) => power(epoch)],
    ['STATE', 10, (epoch) => state(epoch)],
    ['CID', 0, (epoch) => epoch.at('cid').text()],
  ],
}

const NAME_WIDTH = 12

export function queryHeader(what: QueryTopic): string {
  return `${'NODE'.padEnd(NAME_WIDTH)}${COLUMNS[what].map(([title, width]) => title.padEnd(width)).join('')}`.trimEnd()
}

/** One line of what a node answered, or of why it did not; the past below it where it was asked for. */
export function queryLine(what: QueryTopic, { peerId, name, data, error }: QueryRow): string {
  const who = `${printable(name === '' ? peerId : name).padEnd(NAME_WIDTH - 1)} `
  if (error !== undefined) return `${who}${printable(error.code)}: ${printable(error.message)}\n`
  const document = new Loose(data)
  const next = document.at('next').text()
  if (what === 'pins' && next !== '-') return `${who}more: --after ${next}\n`
  const line = COLUMNS[what].map(([, width, show]) => show(document).padEnd(width - 1)).join(' ')
  const past = document.at('history').list().map(pointLine)
  return `${[`${who}${line}`.trimEnd(), ...past].join('\n')}\n`
}

function pointLine(point: Loose): string {
  const time = new Date(Number(point.at('time').text()))
  const at = Number.isNaN(time.getTime()) ? '-' : time.toISOString()
  return `  ${at}  |T|² ${point.at('magnitudeSquared').number(3)}  mesh ${power(point, 'global')} ${state(point, 'global')}`
}
