import { cidOf } from '../../unit/state/pins.ts'
import type { Dice } from '../dice.ts'

/** What there is to pin: a root and what is under it, some of it under others, too. */
export class Contents {
  readonly cids: readonly string[]
  readonly #below = new Map<string, readonly string[]>()

  constructor(count: number, dice: Dice) {
    this.cids = Array.from({ length: count }, (_, number) => cidOf(number))
    for (const cid of this.cids) {
      const own = Array.from({ length: dice.whole(0, 3) }, (_, at) => `${cid}.${at}`)
      this.#below.set(cid, dice.chance(0.3) ? [...own, 'shared'] : own)
    }
  }

  blocksOf(cid: string, mode: 'recursive' | 'direct'): readonly string[] {
    return mode === 'direct' ? [cid] : [cid, ...this.#below.get(cid)!]
  }
}
