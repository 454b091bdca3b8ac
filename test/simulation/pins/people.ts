import type { PinSpec } from '../../../consensus/state/index.ts'
import type { Request } from '../../../node/cell/commands.ts'
import type { World } from './world.ts'

/** gc spares for so long what was added and is not pinned */
const ADDED_MS = 60_000
/** In a calm schedule all wishes are told before the first fault. */
const CALM_UNTIL_MS = 5_000
const HASTE_MS = 1_500

/** People, who add, change and remove pins all the time. */
export class People {
  active = true
  readonly #world: World

  constructor(world: World) {
    this.#world = world
    if (world.profile.calm) for (const cid of world.contents.cids) this.#later(CALM_UNTIL_MS, () => this.#set(cid))
    else this.#next()
  }

  /** Content that no member holds any more is added again by whoever has it elsewhere. @returns how much there was */
  addAgain(): number {
    const { contents, agreed, up, dice } = this.#world
    const lost = contents.cids.filter((cid) => {
      const pin = agreed.pin(cid)
      return pin !== undefined && !up.some(({ disk }) => disk.holds(cid, pin.mode))
    })
    for (const cid of lost) dice.pick(up)!.disk.add(cid, Infinity)
    return lost.length
  }

  #later(ms: number, run: () => void): void {
    this.#world.time.after(this.#world.dice.between(0, ms), run)
  }

  #next(): void {
    const { time, dice, profile } = this.#world
    time.after(dice.exponential(profile.wishEveryMs), () => {
      if (!this.active) return
      this.#wish(dice.pick(this.#world.contents.cids)!)
      this.#next()
    })
  }

  /** One of three is thought better of at once. */
  #wish(cid: string): void {
    const { dice, contents, agreed } = this.#world
    if (dice.chance(0.3)) this.#later(HASTE_MS, () => this.active && this.#wish(cid))
    if (agreed.pin(cid) === undefined || dice.chance(0.3)) return this.#set(cid)
    if (dice.chance(0.5)) return this.#move(cid)
    if (dice.chance(0.6)) return this.#ask(cid, { type: 'pin-unset', cid })
    const [to, owner] = [dice.pick(contents.cids)!, this.#world.first]
    this.#ask(to, { type: 'pin-replace', from: cid, to, keep: dice.chance(0.3), owner })
  }

  /** To whoever people like better now. */
  #move(cid: string): void {
    const { dice, members, first } = this.#world
    const allocations = [...members.keys()].filter(() => dice.chance(0.3))
    const max = Math.max(1, allocations.length)
    this.#ask(cid, { type: 'pin-set', pins: [{ cid, owner: first, min: 1, max, allocations }] })
  }

  #set(cid: string): void {
    const { dice, now, profile, agreed, first } = this.#world
    const min = dice.pick([undefined, 1, 1, 2, 3, -1] as const)
    const max = min === -1 ? -1 : dice.pick([undefined, Math.max(min ?? 1, dice.whole(1, 4)), -1] as const)
    const spec: PinSpec = {
      cid,
      owner: first,
      ...(min !== undefined && { min }),
      ...(max !== undefined && { max }),
      ...(dice.chance(0.1) && { mode: dice.pick(['recursive', 'direct'] as const)! }),
      ...(!profile.calm && dice.chance(0.1) && { expires: Math.floor(now + dice.between(1_000, 60_000)) }),
      ...(agreed.pin(cid) !== undefined && dice.chance(0.2) && { expires: null }),
    }
    this.#ask(cid, { type: 'pin-set', pins: [spec] })
  }

  /** Who asks has the content, and adds it first. */
  #ask(cid: string, request: Request): void {
    const { dice, now, profile } = this.#world
    const door = dice.pick(this.#world.up)
    if (door === undefined) return
    door.disk.add(cid, profile.calm ? Infinity : now + ADDED_MS)
    void door.submit(request).catch(() => {})
  }
}
