import { pinCount, pins, seats, spaceOf } from '../../consensus/state/index.ts'
import type { LocalPins } from '../content/pins/index.ts'
import type { PinReason, PinSummary } from '../operations-pins.ts'
import type { PinCell, PinMesh } from './ports.ts'
import type { Proofs } from './proofs.ts'
import { findShort, type Short } from './short.ts'
import type { Tracked, Tracker } from './tracker/index.ts'

/** Pins of the cell that one look goes through. */
const MAX_LOOKED_AT = 20_000

/** Of the pins that a node is to hold and does not. */
export interface TrackedHealth {
  /** That have failed; the first one with its reason. */
  failed: { count: number; first: { cid: string; reason: PinReason | null } | undefined }
  /** That wait or move, and how long it is, ms, since the one that did so last has moved; undefined where none does. */
  underWay: { count: number; idleMs: number | undefined }
}

/** Of the pinset of a cell, as one of its nodes sees it. */
export interface CellPinHealth {
  agreed: number
  short: Short
  /** Pins, of those looked at, with copies that were challenged and not proven. */
  unproven: number
  /** Names of members that are not connected. */
  away: string[]
  isRepairing: boolean
  isLeader: boolean
  /** Whether the free space of this node is agreed on. */
  isSpaceKnown: boolean
}

export interface PinHealth extends TrackedHealth {
  /** undefined on a node that is in no cell */
  cell: CellPinHealth | undefined
}

export function trackedHealth(tracker: Pick<Tracker, 'cids' | 'statusOf'>, now: number = Date.now()): TrackedHealth {
  const health: TrackedHealth = { failed: { count: 0, first: undefined }, underWay: { count: 0, idleMs: undefined } }
  const { failed, underWay } = health
  for (const cid of tracker.cids()) {
    const tracked = tracker.statusOf(cid)
    if (tracked === undefined) continue
    if (isFailed(tracked)) {
      failed.count += 1
      failed.first ??= { cid, reason: tracked.reason }
      continue
    }
    underWay.count += 1
    underWay.idleMs = Math.min(underWay.idleMs ?? Infinity, idleMsOf(tracked, now))
  }
  return health
}

export interface CellHealthInit {
  cell: Pick<PinCell, 'tree' | 'isLeader'>
  mesh: Pick<PinMesh, 'self' | 'nameOf' | 'isConnected'>
  proofs: Proofs
  isRepairing: boolean
}

/** Of no more than the first pins of a large pinset; asks nobody. */
export async function cellHealth({ cell, mesh, proofs, isRepairing }: CellHealthInit): Promise<CellPinHealth> {
  const { tree, isLeader } = cell
  const isThere = (peerId: string): boolean => peerId === mesh.self || mesh.isConnected(peerId)
  const looked = pins(tree).take(MAX_LOOKED_AT)
  let unproven = 0
  const watched = (function* () {
    for (const pin of looked) {
      if (proofs.badCopies(pin.cid).length > 0) unproven += 1
      yield pin
    }
  })()
  const short = await findShort(tree, watched, isThere)
  const away = seats(tree).filter(({ peerId }) => !isThere(peerId))
  return {
    agreed: pinCount(tree),
    short,
    unproven,
    away: away.map(({ peerId }) => mesh.nameOf(peerId)),
    isRepairing,
    isLeader,
    isSpaceKnown: spaceOf(tree, mesh.self) !== undefined,
  }
}

export async function summaryOf(
  tracker: Pick<Tracker, 'counts'>,
  local: Pick<LocalPins, 'stat'>,
): Promise<Omit<PinSummary, 'agreed' | 'repair'>> {
  const { pin_error = 0, unpin_error = 0, ...others } = tracker.counts()
  const underWay = Object.values(others).reduce((sum, count) => sum + count, 0)
  const { pins: held } = await local.stat()
  return { pinned: held.pinned, underWay, failed: pin_error + unpin_error }
}

function isFailed({ status }: Tracked): boolean {
  return status === 'pin_error' || status === 'unpin_error'
}

/** Since the last block came, or since it began to wait. */
function idleMsOf({ reason, since, progress }: Tracked, now: number): number {
  const lastBlock = reason?.lastBlockSecondsAgo
  return progress === null || lastBlock === undefined ? now - since : lastBlock * 1000
}
