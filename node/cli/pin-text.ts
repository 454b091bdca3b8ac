import type {
  Named,
  PinCopy,
  PinDocument,
  PinProgress,
  PinReason,
  PinStatusDocument,
  PinSummary,
  RepairPlanDocument,
} from '../operations.ts'
import { percent } from './progress.ts'
import { humanDuration, humanSize, list, printable, table } from './text.ts'

/** For example `120 agreed; here 80 pinned, 3 under way, 0 failed`. */
export function pinSummaryText({ agreed, pinned, underWay, failed }: PinSummary): string {
  const here = `${pinned} pinned, ${underWay} under way, ${failed} failed`
  return agreed === null ? here : `${agreed} agreed; here ${here}`
}

/** Of one line. */
const MAX_SHOWN_HOLDERS = 3
const LIST_HEADER = ['CID', 'NAME', 'MODE', 'COPIES', 'AT', 'EXPIRES', 'CREATED', 'METADATA']

export function pinsText(pins: PinDocument[], header = true): string {
  return table(header ? LIST_HEADER : [], pins.map(listColumns))
}

function listColumns(pin: PinDocument): string[] {
  return [
    pin.cid,
    pin.name === '' ? '-' : pin.name,
    pin.mode,
    wantedText(pin),
    holdersText(pin),
    pin.expires ?? 'never',
    pin.created,
    metadataText(pin.metadata),
  ]
}

export function pinText(pin: PinDocument): string {
  return list([
    ['cid', pin.cid],
    ['name', pin.name === '' ? '-' : pin.name],
    ['mode', pin.mode],
    ['copies', wantedText(pin)],
    ...pin.allocations.map((peer): [string, string] => ['allocated to', pin.names[peer] ?? peer]),
    ['expires', pin.expires ?? 'never'],
    ['priority', String(pin.priority)],
    ['metadata', metadataText(pin.metadata) || '-'],
    ...pin.origins.map((origin): [string, string] => ['origin', origin]),
    ['asked of', pin.names[pin.owner] ?? pin.owner],
    ['created', pin.created],
  ])
}

/** For example `2 to 3`, `every member`. */
function wantedText({ replicationMin: min, replicationMax: max }: Replication): string {
  const count = (copies: number) => (copies === -1 ? 'every member' : String(copies))
  return min === max ? count(min) : `${count(min)} to ${count(max)}`
}

/** For example `alpha-1, alpha-2`, `alpha-1, alpha-2, alpha-3 and 61 more`. */
function holdersText({ allocations, names }: PinDocument): string {
  if (allocations.length === 0) return 'here'
  const shown = allocations.slice(0, MAX_SHOWN_HOLDERS).map((peerId) => names[peerId] ?? peerId)
  const more = allocations.length - shown.length
  return `${shown.join(', ')}${more === 0 ? '' : ` and ${more} more`}`
}

type Replication = Pick<PinDocument, 'replicationMin' | 'replicationMax'>

function metadataText(metadata: Record<string, string>): string {
  return Object.entries(metadata)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
}

const COPY_HEADER = ['NODE', 'STATUS', 'SINCE', 'TRIES', 'PROGRESS', 'PROVEN']

/**
 * Each copy in a line, and below them why one is not there yet.
 *
 * @param now - Unix milliseconds
 */
export function statusText(status: PinStatusDocument, now: number): string {
  const name = status.name === '' ? '' : ` ${status.name}`
  const title = printable(`${status.cid}${name}: ${status.pinned} pinned, wanted ${wantedText(status)}`)
  const copies = status.copies.map((copy) => copyColumns(copy, now))
  const reasons = status.copies.flatMap(({ reason, ...copy }) =>
    reason === null ? [] : [`${printable(`${nameOf(copy)}: ${reasonText(reason)}`)}\n`],
  )
  return `${title}\n${copies.length === 0 ? '' : table(COPY_HEADER, copies)}${reasons.join('')}`
}

function copyColumns(copy: PinCopy, now: number): string[] {
  return [
    nameOf(copy),
    copy.status,
    agoText(copy.since, now),
    String(copy.attempts),
    copy.progress === null ? '-' : progressText(copy.progress),
    copy.proven === null ? 'never' : agoText(copy.proven, now),
  ]
}

function nameOf({ name, peerId }: Pick<PinCopy, 'name' | 'peerId'>): string {
  return name === '' ? peerId : name
}

function agoText(time: string, now: number): string {
  const at = Date.parse(time)
  return Number.isNaN(at) ? time : `${humanDuration(Math.max(0, now - at) / 1000)} ago`
}

/** For example `45 % of 64.0 MiB, 12.0 MiB/s`. */
export function progressText({ bytes, totalBytes, bytesPerSecond }: PinProgress): string {
  const part = totalBytes === null ? humanSize(bytes) : `${percent(bytes, totalBytes)} of ${humanSize(totalBytes)}`
  return `${part}, ${humanSize(bytesPerSecond)}/s`
}

const REASONS: Readonly<Record<PinReason['code'], string>> = {
  waiting: 'waits for its turn',
  no_providers: 'nobody is known to have it',
  dial_failed: 'those that have it cannot be reached',
  fetching: 'is fetching it',
  stalled: 'no more of it comes',
  quota: 'its store has no room',
  too_large: 'it is larger than a pin may be',
  unreachable: 'this node cannot be asked',
  proof_failed: 'it could not prove that it holds it',
  storage: 'its disk fails',
  invalid: 'it is not what its CID says',
}

/** A reason of a later release has no words here. */
function reasonText({ code, message, missing, lastBlockSecondsAgo }: PinReason): string {
  return [
    `${REASONS[code] ?? code}${message === '' ? '' : ` (${message})`}`,
    ...(missing === undefined ? [] : [`waits for the block ${missing}`]),
    ...(lastBlockSecondsAgo === undefined ? [] : [`the last block came ${humanDuration(lastBlockSecondsAgo)} ago`]),
  ].join('; ')
}

/** One line while people wait: copies that are held, and how far the others are. */
export function waitingText({ copies, pinned }: PinStatusDocument): string {
  const under = copies.flatMap(({ progress, ...copy }) =>
    progress === null ? [] : [printable(`${nameOf(copy)} ${progressText(progress)}`)],
  )
  return [`${pinned} of ${copies.length} copies held`, ...under].join('; ')
}

const MOVE_HEADER = ['CID', 'NAME', 'WHY', 'ADD', 'DROP']

export function planText({ moves, short, more, names }: RepairPlanDocument & Named): string {
  const named = (peers: string[]) => peers.map((peerId) => names[peerId] ?? peerId).join(', ') || '-'
  const rows = moves.map(({ cid, name, reason, add, drop }) => [
    cid,
    name,
    reason.replaceAll('_', ' '),
    named(add),
    named(drop),
  ])
  return [
    moves.length === 0 ? 'nothing is to be moved\n' : table(MOVE_HEADER, rows),
    more === 0 ? '' : `and ${more} more\n`,
    ...short.map(({ cid, name, wants, has }) =>
      printable(`short: ${cid} ${name} has ${has} of ${wants} copies, and nobody can take another`).concat('\n'),
    ),
  ].join('')
}
