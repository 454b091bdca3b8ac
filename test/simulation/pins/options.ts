import { Dice } from '../dice.ts'

/** Which faults a schedule has, and how hard. All of it follows from the seed. */
export interface PinProfile {
  /** nothing but flapping, shorter than the grace period: then no pin may move */
  readonly calm: boolean
  readonly members: number
  readonly contents: number
  readonly faults: readonly PinFault[]
  /** mean milliseconds between two faults, and between two wishes of people */
  readonly faultEveryMs: number
  readonly wishEveryMs: number
  /** mean milliseconds until a member has applied what was agreed on */
  readonly lagMs: number
  /** of questions between members that get no answer */
  readonly loss: number
  readonly blockMs: number
  /** who asks for a block that nobody has is told so after this; 0: never */
  readonly patienceMs: number
  readonly graceMs: number
  readonly movesPerMinute: number
  readonly rebalance: boolean
  /** failure domains, 0 for none but the members themselves */
  readonly domains: number
}

export type PinFault =
  | 'flap'
  | 'away'
  | 'disk-loss'
  | 'rot'
  | 'quota'
  | 'partition'
  | 'election'
  | 'join'
  | 'drain'
  | 'remove'
  | 'death'
  | 'label'

const FAULTS: readonly PinFault[] = [
  'flap',
  'flap',
  'away',
  'disk-loss',
  'rot',
  'quota',
  'partition',
  'election',
  'join',
  'drain',
  'remove',
  'death',
  'label',
]
const FLAPPING: readonly PinFault[] = ['flap', 'partition', 'election']

export const FAULTS_MS = 90_000
/** for a healed mesh to have every pin as it is to be */
export const HEAL_MS = 400_000
/** after that, nothing may move for so long */
export const QUIET_MS = 30_000
export const AUDIT_MS = 10_000

export function pinProfileOf(seed: number): PinProfile {
  const dice = new Dice(seed ^ 0x91a5)
  const calm = dice.chance(0.2)
  return {
    calm,
    members: dice.whole(3, 7),
    contents: dice.whole(4, 14),
    faults: calm ? FLAPPING : FAULTS.filter(() => dice.chance(0.6)),
    faultEveryMs: dice.between(1_500, 8_000),
    wishEveryMs: dice.between(800, 5_000),
    lagMs: dice.between(20, 1_500),
    loss: dice.chance(0.5) ? dice.between(0, 0.2) : 0,
    blockMs: dice.between(5, 700),
    patienceMs: dice.chance(0.5) ? dice.between(500, 5_000) : 0,
    graceMs: dice.between(8_000, 15_000),
    movesPerMinute: dice.pick([10, 60, 600])!,
    rebalance: dice.chance(0.7),
    domains: calm || dice.chance(0.6) ? 0 : dice.whole(2, 4),
  }
}
