import { Dice } from '../dice.ts'
import type { NetworkProfile } from '../network.ts'

export interface MeshScheduleOptions {
  readonly seed: number
  /** validators at the start: 4, 7 or 10 */
  readonly nodes: number
  /** of these, who lie or are two: f < nodes / 3 unless told; one more, and the record may fork */
  readonly faulty: number | undefined
  /** those at fault do nothing but this, and often */
  readonly lie: Lie | undefined
  readonly mutant: string | undefined
  /** keeps the last lines of the trace */
  readonly verbose: boolean
}

/** One of four at fault, in whatever the seed says. */
export const OPTIONS: MeshScheduleOptions = {
  seed: 1,
  nodes: 4,
  faulty: undefined,
  lie: undefined,
  mutant: undefined,
  verbose: false,
}

export type MeshFault =
  | 'crash'
  | 'crash-at-write'
  | 'crash-all'
  | 'pause'
  | 'partition'
  | 'twin-split'
  | 'one-way'
  | 'clog'
  | 'fsync-fails'
  | 'clock-jump'
  | 'slow-disk'

/** What a liar does beside what it ought to. */
export type Lie =
  | 'withhold'
  | 'select'
  | 'equivocate-votes'
  | 'equivocate-proposals'
  | 'invalid-blocks'
  | 'forged-heights'
  | 'forged-certificates'
  | 'extensions'
  | 'reports-to-some'
  | 'two-reports'
  | 'withhold-reports'
  | 'sync'
  | 'amnesia'

/** Which faults and lies a schedule has, and how hard. All of it follows from the seed. */
export interface MeshProfile {
  readonly network: NetworkProfile
  readonly faults: readonly MeshFault[]
  /** mean milliseconds between two faults */
  readonly faultEveryMs: number
  /** until everything is healed */
  readonly faultsMs: number
  /** whether those at fault are two copies of one validator; otherwise they lie */
  readonly isTwin: readonly boolean[]
  readonly lies: readonly Lie[]
  /** share of what a liar says that it lies about */
  readonly lieRate: number
  /** mean milliseconds of a flush */
  readonly flushMs: number
  /** rate of each node's clock is within 1 ± this, and what it shows within this of the others' */
  readonly clockDrift: number
  readonly clockSkewMs: number
  readonly epochMs: number
  readonly idleEpochMs: number
  readonly doubleVote: 'remove' | 'note'
  /** whether people change set and policy meanwhile */
  readonly isGoverned: boolean
  /** ed25519 in place of tokens */
  readonly isReal: boolean
}

const FAULTS: readonly MeshFault[] = [
  'crash',
  'crash-at-write',
  'crash-at-write',
  'crash-all',
  'pause',
  'partition',
  'twin-split',
  'one-way',
  'clog',
  'fsync-fails',
  'clock-jump',
  'slow-disk',
]
export const LIES: readonly Lie[] = [
  'withhold',
  'select',
  'equivocate-votes',
  'equivocate-proposals',
  'invalid-blocks',
  'forged-heights',
  'forged-certificates',
  'extensions',
  'reports-to-some',
  'two-reports',
  'withhold-reports',
  'sync',
  'amnesia',
]

const REAL_EVERY = 100
/** How far rounds may go after everything is healed, beyond those at fault. */
export const ROUNDS_AFTER_HEAL = 2
/** For a healed mesh to be one again, virtual milliseconds. */
export const HEAL_MS = 180_000
/** Heights that a healed mesh has to add. */
export const HEIGHTS_AFTER_HEAL = 2

/** f of n */
export function faultyOf(nodes: number): number {
  return Math.floor((nodes - 1) / 3)
}

export type ProfileOptions = Pick<MeshScheduleOptions, 'seed' | 'nodes' | 'faulty' | 'lie'>

export function meshProfileOf({ seed, nodes, faulty = faultyOf(nodes), lie }: ProfileOptions): MeshProfile {
  const profile = anyProfile(seed, faulty, faulty > faultyOf(nodes))
  return lie === undefined ? profile : { ...profile, lies: [lie], lieRate: 0.9, isTwin: [] }
}

function anyProfile(seed: number, faulty: number, isControl: boolean): MeshProfile {
  const dice = new Dice(seed ^ 0xb47)
  const some = (probability: number, low: number, high: number) =>
    dice.chance(probability) ? dice.between(low, high) : 0
  const twins = dice.pick([0, 0, 0.5, 1, 1])!
  return {
    network: {
      loss: some(0.5, 0, 0.3),
      duplication: some(0.5, 0, 0.5),
      delayMs: dice.chance(0.5) ? dice.between(30, 100) : dice.between(2, 30),
    },
    faults: FAULTS.filter(() => dice.chance(0.5)),
    faultEveryMs: dice.between(200, 1500),
    faultsMs: dice.between(2_000, 6_000),
    isTwin: Array.from({ length: faulty }, () => isControl || dice.chance(twins)),
    lies: LIES.filter(() => dice.chance(0.4)),
    lieRate: dice.between(0.1, 0.9),
    flushMs: dice.between(1, 20),
    clockDrift: some(0.5, 0, 0.1),
    clockSkewMs: some(0.5, 0, 500),
    epochMs: dice.whole(100, 500),
    idleEpochMs: dice.whole(500, 1500),
    doubleVote: dice.chance(0.5) ? 'remove' : 'note',
    isGoverned: dice.chance(0.5),
    isReal: seed % REAL_EVERY === 0,
  }
}
