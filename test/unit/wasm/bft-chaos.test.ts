import { expect } from 'chai'
import { type Bft, loadBft } from '../../../wasm/bft/load.ts'
import { decodeMessage } from '../../../wasm/bft/messages.ts'
import { BftMesh, contradictions, hex, type Member, restless, valueOf } from './bft-mesh.ts'

const SEEDS = 90
const STEPS = 300

/** Numbers from 0 up to 1, the same for the same seed. */
function dice(seed: number): { below: (limit: number) => number; happens: (chance: number) => boolean } {
  let state = (seed * 48_271) % 0x7fffffff
  const roll = () => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff
  return { below: (limit) => Math.floor(roll() * limit), happens: (chance) => roll() < chance }
}

/** Four on a bad net with bad disks, one of whom may be a liar; until the honest have decided, or for so long. */
class Chaos {
  readonly mesh: BftMesh
  readonly honest: readonly Member[]
  readonly #liar: number | undefined
  readonly #dice: ReturnType<typeof dice>

  constructor(bft: Bft, seed: number) {
    const [rolled, liar] = [dice(seed), seed % 3 === 0 ? seed % 4 : undefined]
    this.mesh = new BftMesh(bft, { height: 1 + (seed % 9), host: restless() })
    this.mesh.carries = () => !rolled.happens(0.25)
    this.mesh.onLog = () => rolled.happens(0.02)
    this.honest = this.mesh.members.filter(({ at }) => at !== liar)
    this.#liar = liar
    this.#dice = rolled
  }

  run(): void {
    this.mesh.start()
    for (let step = 0; step < STEPS && this.honest.some(({ decided }) => decided === undefined); step++) {
      this.#step(this.mesh.members[this.#dice.below(4)]!)
      this.mesh.settle()
    }
  }

  #step(member: Member): void {
    if (this.#dice.happens(0.6)) this.#elapse(member)
    else if (this.#dice.happens(0.1)) this.mesh.restart(member)
    else if (this.#liar !== undefined) this.#lie(this.#liar, member)
  }

  #elapse(member: Member): void {
    const timeout = member.timeouts[this.#dice.below(member.timeouts.length)]
    if (timeout === undefined || (timeout.kind !== 'rebroadcast' && this.#dice.happens(0.7))) return
    member.timeouts = member.timeouts.filter((each) => each !== timeout)
    this.mesh.input(member, { type: 'timeout', timeout })
  }

  /** Tells one of them that it voted for something that somebody proposed, or for nothing. */
  #lie(liar: number, member: Member): void {
    const round = Math.max(0, member.round + this.#dice.below(3) - 1)
    const proposed = this.mesh.members.flatMap(({ published }) => published.map(decodeMessage).flatMap(valuesOf))
    const values = [undefined, valueOf(77), ...proposed]
    const value = values[this.#dice.below(values.length)]
    const kind = this.#dice.happens(0.5) ? 'prevote' : 'precommit'
    this.mesh.say(member, this.mesh.vote(liar, { kind, round, value }))
    if (value !== undefined) this.mesh.say(member, this.mesh.proposal(liar, { round, value }))
  }
}

const valuesOf = (message: ReturnType<typeof decodeMessage>): Uint8Array[] =>
  message.type === 'proposal' ? [message.value] : []

describe('wasm bft: chaos', () => {
  it(`${SEEDS} heights of lost messages, crashes and lies: one value, no contradiction, nobody honest accused`, async () => {
    const bft = await loadBft({ variant: 'tokens' })
    let decided = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const chaos = new Chaos(bft, seed)
      chaos.run()
      const { honest } = chaos
      const values = honest.flatMap((member) => (member.decided === undefined ? [] : [hex(member.decided.value)]))
      expect(new Set(values).size, `seed ${seed}`).to.be.at.most(1)
      for (const member of honest) expect(contradictions(member), `seed ${seed}`).to.deep.equal([])
      const accused = honest.flatMap(({ evidence }) => evidence.map(({ first }) => hex(first.validator)))
      for (const { key } of honest) expect(accused, `seed ${seed}`).not.to.include(hex(key))
      decided += Number(values.length > 0)
      chaos.mesh.free()
    }
    expect(decided).to.be.above(SEEDS * 0.9)
  })
})
