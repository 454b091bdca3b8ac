import { pins, planRepair, seats, type AgreedPin, type RepairPlan } from '../../consensus/state/index.ts'
import { messageOf } from '../../protocols/shared/errors.ts'
import type { RepairPlanDocument } from '../operations-pins.ts'
import type { Log } from '../telemetry/log.ts'
import type { Observer } from './observe.ts'
import type { PinCell, PinMesh } from './ports.ts'
import type { Proofs } from './proofs.ts'

/** Pins that are looked at in one step. */
const PAGE = 512
/** Pins that are asked about in one step, for each that it may move: others hold some of them, or have them yet to fetch. */
const ASKED_PER_MOVE = 2
/** Moves that a plan shows. */
const MAX_SHOWN = 1_000

export interface RepairPolicy {
  /** false: pins are moved by nobody but people */
  readonly enabled: boolean
  readonly rebalance: boolean
  /** a member is not lost before it was away for so long */
  readonly graceMs: number
  /** at most so many moves in a minute */
  readonly movesPerMinute: number
}

export interface RepairerInit {
  cell: PinCell
  mesh: PinMesh
  observer: Observer
  proofs: Proofs
  policy: RepairPolicy
  log: Log
  /** Unix milliseconds */
  now?: () => number
  /** A move was agreed on. */
  onMoved?: (reason: string) => void
}

/**
 * Replaces copies that are lost, moves those of members that leave, and evens out; only the leader does. It goes through
 * the pinset a page at a time, for ever, so that nothing is missed; and no faster than its policy allows, so that the
 * loss of a member is no storm.
 */
export class Repairer {
  readonly #init: RepairerInit
  readonly #now: () => number
  /** since when members are away, Unix milliseconds */
  readonly #away = new Map<string, number>()
  #after: string | undefined
  #allowance = 0
  #lookedAt: number | undefined

  constructor(init: RepairerInit) {
    this.#init = init
    this.#now = init.now ?? Date.now
  }

  /** Notes who is away; to be called often, on every node: a new leader knows then, too. */
  watch(): void {
    const { cell, mesh } = this.#init
    for (const { peerId } of seats(cell.tree)) {
      if (peerId === mesh.self || mesh.isConnected(peerId)) this.#away.delete(peerId)
      else if (!this.#away.has(peerId)) this.#away.set(peerId, this.#now())
    }
  }

  /** One page of the pinset. @returns how many moves were agreed on */
  async step(signal: AbortSignal): Promise<number> {
    const { cell, policy } = this.#init
    const now = this.#now()
    this.#allowance = Math.min(
      policy.movesPerMinute,
      this.#allowance + ((now - (this.#lookedAt ?? now - 60_000)) / 60_000) * policy.movesPerMinute,
    )
    this.#lookedAt = now
    if (!cell.isLeader || !policy.enabled || this.#allowance < 1) return 0
    const start = this.#after
    const page = this.#affordable(take(pins(cell.tree, start), PAGE))
    const { moves } = await this.#plan(page, signal)
    let [tried, made] = [0, 0]
    for (const { cid, revision, add, drop, reason } of moves) {
      if (this.#allowance < 1 || signal.aborted || !cell.isLeader) break
      tried += 1
      if (!(await this.#move({ cid, revision, add: [...add], drop: [...drop] }))) continue
      made += 1
      this.#allowance -= 1
      this.#init.onMoved?.(reason)
    }
    const last = page.at(-1)?.cid
    const end = take(pins(cell.tree, last), 1).length === 0 ? undefined : last
    // What was not allowed yet comes first next time.
    this.#after = tried < moves.length ? (moves[tried - 1]?.cid ?? start) : end
    return made
  }

  /** What `step` would do, page after page, now and without a limit to its pace. */
  async plan(signal: AbortSignal): Promise<RepairPlanDocument> {
    const document: RepairPlanDocument = { moves: [], short: [], more: 0 }
    const { cell } = this.#init
    await cell.read()
    this.watch()
    for (let after: string | undefined; ;) {
      const page = take(pins(cell.tree, after), PAGE)
      const { moves, short } = await this.#plan(page, signal)
      for (const { cid, name, add, drop, reason } of moves) {
        if (document.moves.length < MAX_SHOWN)
          document.moves.push({ cid, name, add: [...add], drop: [...drop], reason })
        else document.more += 1
      }
      document.short.push(...short.slice(0, MAX_SHOWN - document.short.length))
      if (page.length < PAGE) return document
      after = page.at(-1)!.cid
    }
  }

  /** The beginning of a page, with no more pins to move than its holders are to be asked about. */
  #affordable(page: readonly AgreedPin[]): readonly AgreedPin[] {
    const { moves } = this.#planned(page, (pin) => pin.allocations)
    const beyond = moves[Math.ceil(this.#allowance) * ASKED_PER_MOVE]
    return beyond === undefined
      ? page
      : page.slice(
          0,
          page.findIndex(({ cid }) => cid === beyond.cid),
        )
  }

  /** Whose copies are pinned is asked only where something would move. */
  async #plan(page: readonly AgreedPin[], signal: AbortSignal): Promise<RepairPlan> {
    const { observer } = this.#init
    const first = this.#planned(page, (pin) => pin.allocations)
    const named = new Set(first.moves.map(({ cid }) => cid))
    const affected = page.filter(({ cid }) => named.has(cid))
    if (affected.length === 0) return first
    const statuses = await observer.statuses(affected, { local: false }, signal)
    const pinned = new Map(
      statuses.map(({ cid, copies }) => [
        cid,
        copies.filter(({ status }) => status === 'pinned').map(({ peerId }) => peerId),
      ]),
    )
    const { moves } = this.#planned(affected, ({ cid }) => pinned.get(cid) ?? [])
    return { moves, short: first.short }
  }

  #planned(page: readonly AgreedPin[], pinnedCopies: (pin: AgreedPin) => readonly string[]): RepairPlan {
    const { cell, proofs, policy } = this.#init
    const byCid = new Map(page.map((pin) => [pin.cid, pin]))
    const facts = {
      isDown: (peerId: string) => this.#downSince(peerId),
      badCopies: (cid: string) => proofs.badCopies(cid),
      pinnedCopies: (cid: string) => pinnedCopies(byCid.get(cid)!),
    }
    return planRepair(cell.tree, page, facts, { rebalance: policy.rebalance })
  }

  #downSince(peerId: string): number | undefined {
    const since = this.#away.get(peerId)
    return since !== undefined && this.#now() - since >= this.#init.policy.graceMs ? since : undefined
  }

  async #move(move: { cid: string; revision: number; add: string[]; drop: string[] }): Promise<boolean> {
    try {
      await this.#init.cell.submit({ type: 'pin-move', ...move })
      return true
    } catch (error) {
      // Changed meanwhile, or no quorum: the next round sees what is true then.
      this.#init.log.debug('a copy was not moved', { cid: move.cid, reason: messageOf(error) })
      return false
    }
  }
}

function take<T>(source: Iterable<T>, count: number): T[] {
  const taken: T[] = []
  for (const one of source) {
    taken.push(one)
    if (taken.length === count) break
  }
  return taken
}
