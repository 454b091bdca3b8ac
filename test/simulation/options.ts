import { Dice } from './dice.ts'
import type { NetworkProfile } from './network.ts'

export interface ScheduleOptions {
  readonly seed: number
  /** 1 to 9 */
  readonly nodes: number
  /** virtual; faults end after two thirds of it */
  readonly seconds: number
  readonly mutant: string | undefined
  /** keeps the last lines of the trace */
  readonly verbose: boolean
}

/** Which faults a schedule has, and how hard (swarm testing: Groce et al. 2012). All of it follows from the seed. */
export interface Profile {
  readonly network: NetworkProfile
  readonly faults: readonly Fault[]
  /** mean milliseconds between two faults */
  readonly faultEveryMs: number
  /** mean milliseconds of a flush */
  readonly flushMs: number
  readonly tear: boolean
  /** rate of each node's clock is within 1 ± this */
  readonly clockDrift: number
  /** entries between two snapshots */
  readonly snapshotEvery: number
  readonly keepEntries: number
  readonly retryMs: number
  readonly clients: number
  /** mean milliseconds between two operations of a client */
  readonly thinkMs: number
  readonly keys: number
  /** whether the nodes keep the product's own state beside the registers: it takes its time */
  readonly isAgreed: boolean
}

export type Fault =
  | 'crash'
  | 'crash-all'
  | 'pause'
  | 'partition'
  | 'one-way'
  | 'clog'
  | 'bit-flip'
  | 'fsync-fails'
  | 'clock-jump'
  | 'transfer'
  | 'membership'
  | 'slow-disk'

const FAULTS: readonly Fault[] = [
  'crash',
  'crash',
  'crash-all',
  'pause',
  'partition',
  'one-way',
  'clog',
  'bit-flip',
  'fsync-fails',
  'clock-jump',
  'transfer',
  'membership',
  'slow-disk',
]

const AGREED_EVERY = 10

export function profileOf(seed: number): Profile {
  const dice = new Dice(seed ^ 0x5eed)
  const some = (probability: number, low: number, high: number) =>
    dice.chance(probability) ? dice.between(low, high) : 0
  return {
    network: { loss: some(0.5, 0, 0.3), duplication: some(0.5, 0, 0.5), delayMs: delay(dice) },
    faults: FAULTS.filter(() => dice.chance(0.5)),
    faultEveryMs: dice.between(150, 1500),
    flushMs: dice.between(1, 20),
    tear: dice.chance(0.5),
    clockDrift: some(0.5, 0, 0.1),
    snapshotEvery: dice.whole(8, 120),
    keepEntries: dice.chance(0.5) ? 0 : dice.whole(1, 60),
    retryMs: dice.between(300, 2500),
    clients: dice.whole(2, 5),
    thinkMs: dice.between(20, 200),
    keys: dice.whole(1, 4),
    isAgreed: seed % AGREED_EVERY === 0,
  }
}

/** Half of the schedules have a network of 30 to 100 ms, the other half a quicker one that lets more happen. */
function delay(dice: Dice): number {
  return dice.chance(0.5) ? dice.between(30, 100) : dice.between(2, 30)
}
