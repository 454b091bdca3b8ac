import { EVERYWHERE } from './pin-commands.ts'

/** Who can hold copies, as the state has it. */
export interface Place {
  readonly seat: number
  /** two of one failure domain are lost together */
  readonly domain: string
  readonly region: string
  /** binary digits of the free bytes, 0 when unknown: who reported at different times is not told apart by little */
  readonly space: number
  /** held */
  readonly pins: number
}

export interface Replication {
  readonly min: number
  readonly max: number
}

const DEFAULT_MIN = 2
const DEFAULT_MAX = 3

/**
 * What a pin has that asks for nothing: 2 to 3 copies, or as many as there are failure domains (min) and places (max)
 * where that is less, but 1 at least.
 */
export function defaultReplication(places: readonly Place[]): Replication {
  return {
    min: Math.max(1, Math.min(DEFAULT_MIN, domainsOf(places))),
    max: Math.max(1, Math.min(DEFAULT_MAX, places.length)),
  }
}

/** @returns what is in force for a pin; EVERYWHERE where that was asked for */
export function replicationOf(
  asked: { min?: number | undefined; max?: number | undefined },
  usual: Replication,
): Replication {
  const { max } = asked
  const min = asked.min ?? (max === undefined || max === EVERYWHERE ? usual.min : Math.min(usual.min, max))
  return { min, max: max ?? (min === EVERYWHERE ? EVERYWHERE : Math.max(usual.max, min)) }
}

export function domainsOf(places: readonly Place[]): number {
  return new Set(places.map(({ domain }) => domain)).size
}

export interface Wanted extends Replication {
  readonly cid: string
  /** seats, the first first */
  readonly preferred: readonly number[]
  /** seats that have it now */
  readonly kept: readonly number[]
}

/**
 * Chooses who holds a pin. First come those that are preferred, then those that have it; then who is in a failure
 * domain of its own, in another region, has more free space, fewer pins; ties go round by the CID. Never more than
 * max, and min failure domains before everything else.
 *
 * @param places - ascending by seat
 * @returns seats, ascending; `undefined` where there are fewer failure domains than min
 */
export function allocate(places: readonly Place[], wanted: Wanted): number[] | undefined {
  const min = wanted.min === EVERYWHERE ? 1 : wanted.min
  const max = wanted.max === EVERYWHERE ? places.length : wanted.max
  if (domainsOf(places) < min) return undefined
  if (places.length <= max) return places.map(({ seat }) => seat)
  const turn = hashOf(wanted.cid) % places.length
  const left = places.map((place, at) => ({ place, rank: rankOf(place, wanted), turn: (at + turn) % places.length }))
  const chosen: Place[] = []
  while (chosen.length < max) chosen.push(take(left, chosen, max - chosen.length <= min - domainsOf(chosen)))
  return chosen.map(({ seat }) => seat).sort((a, b) => a - b)
}

interface Runner {
  readonly place: Place
  readonly rank: number
  readonly turn: number
}

/** @param isSpread - whether only failure domains that have no copy will do */
function take(left: Runner[], chosen: readonly Place[], isSpread: boolean): Place {
  const open = isSpread ? left.filter(({ place }) => !chosen.some(({ domain }) => domain === place.domain)) : left
  const best = open.reduce((best, runner) => (isBefore(runner, best, chosen) ? runner : best))
  left.splice(left.indexOf(best), 1)
  return best.place
}

function rankOf({ seat }: Place, { preferred, kept }: Wanted): number {
  const at = preferred.indexOf(seat)
  if (at >= 0) return at
  return kept.includes(seat) ? preferred.length : preferred.length + 1
}

function isBefore(one: Runner, other: Runner, chosen: readonly Place[]): boolean {
  const inDomain = ({ domain }: Place) => chosen.filter((place) => place.domain === domain).length
  const inRegion = ({ region }: Place) => chosen.filter((place) => place.region === region).length
  const difference =
    one.rank - other.rank ||
    inDomain(one.place) - inDomain(other.place) ||
    inRegion(one.place) - inRegion(other.place) ||
    other.place.space - one.place.space ||
    one.place.pins - other.place.pins ||
    one.turn - other.turn
  return difference < 0
}

/** FNV-1a, 32 bits */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
