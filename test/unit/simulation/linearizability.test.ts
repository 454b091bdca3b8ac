import { expect } from 'chai'
import { Dice } from '../../simulation/dice.ts'
import type { Operation } from '../../simulation/linearizability.ts'
import { checkLinearizable } from '../../simulation/linearizability.ts'

type Kind = Operation['kind']

function operation(kind: Kind, called: number, returned: number | undefined, more: Partial<Operation> = {}): Operation {
  const result = kind === 'set' ? 1 : undefined
  return { client: 1, id: `o${called}`, key: 0, kind, value: 0, expected: 0, called, returned, result, ...more }
}

const set = (value: number, called: number, returned?: number) => operation('set', called, returned, { value })
const get = (result: number, called: number, returned?: number) => operation('get', called, returned, { result })
const cas = (expected: number, value: number, result: number, called: number, returned?: number) =>
  operation('cas', called, returned, { expected, value, result })

const LEGAL: Record<string, Operation[]> = {
  'an empty history': [],
  'a read of a register never set': [get(0, 1, 2)],
  'a read that overlaps a write and sees it': [set(1, 1, 4), get(1, 2, 3)],
  'a read that overlaps a write and does not see it': [set(1, 1, 4), get(0, 2, 3)],
  'a write without an answer that is never seen': [set(1, 1), get(0, 2, 3), get(0, 4, 5)],
  'a write without an answer that is seen late': [set(1, 1), get(0, 2, 3), get(1, 4, 5)],
  'a comparison without an answer that took': [set(1, 1, 2), cas(1, 2, 1, 3), get(1, 4, 5), get(2, 6, 7)],
  'a comparison that failed on a concurrent write': [set(1, 1, 4), cas(0, 2, 0, 2, 3), get(1, 5, 6)],
  'two concurrent writes seen in the other order of their calls': [set(1, 1, 5), set(2, 2, 4), get(1, 6, 7)],
  'a chain that needs a second thought': [set(1, 1, 10), set(2, 2, 9), get(2, 3, 4), get(1, 5, 6), get(1, 11, 12)],
}

const ILLEGAL: Record<string, Operation[]> = {
  'a stale read after an answered write': [set(1, 1, 2), get(0, 3, 4)],
  'a value that nobody wrote': [set(1, 1, 2), get(3, 3, 4)],
  'a lost update': [set(1, 1, 2), set(2, 3, 4), get(1, 5, 6)],
  'a write that vanishes after it was seen': [set(1, 1), get(1, 2, 3), get(0, 4, 5)],
  'a write seen before it was asked for': [get(1, 1, 2), set(1, 3, 4)],
  'two comparisons from the same value that both took': [cas(0, 1, 1, 1, 2), cas(0, 2, 1, 3, 4)],
  'a write applied twice': [set(1, 1, 2), set(2, 3, 4), get(2, 5, 6), get(1, 7, 8)],
  'two readers that disagree about the order': [set(1, 1, 10), set(2, 2, 11), get(1, 12, 13), get(2, 14, 15)],
  'a comparison that failed although it had to take': [set(1, 1, 2), cas(1, 2, 0, 3, 4)],
}

describe('the linearizability checker', () => {
  for (const [name, history] of Object.entries(LEGAL)) {
    it(`accepts ${name}`, () => expect(checkLinearizable(history)).to.deep.equal({ ok: true }))
  }
  for (const [name, history] of Object.entries(ILLEGAL)) {
    it(`refuses ${name}`, () => expect(checkLinearizable(history)).to.include({ ok: false, key: 0 }))
  }

  it('looks at each register alone', () => {
    const other = { ...get(0, 3, 4), key: 1 }
    expect(checkLinearizable([set(1, 1, 2), other]).ok).to.equal(true)
    expect(checkLinearizable([set(1, 1, 2), other, { ...get(5, 5, 6), key: 1 }])).to.include({ ok: false, key: 1 })
  })

  it('accepts 300 histories made by a real register, of up to 8 clients with lost answers', () => {
    for (let seed = 0; seed < 300; seed++) {
      expect(checkLinearizable(honest(seed)), `seed ${seed}`).to.deep.equal({ ok: true })
    }
  })

  it('agrees with the trial of every order on 2000 small histories, legal and not', () => {
    let illegal = 0
    for (let seed = 0; seed < 2000; seed++) {
      const history = lie(honest(seed, 3, 6), seed)
      const legal = everyOrder(history)
      if (!legal) illegal++
      expect(checkLinearizable(history).ok, `seed ${seed}`).to.equal(legal)
    }
    expect(illegal).to.be.within(200, 1800)
  })
})

/** Each operation takes effect at a random moment between call and answer. */
function honest(seed: number, clients = 8, count = 120): Operation[] {
  const dice = new Dice(seed)
  const plans = Array.from({ length: count }, (_, at) => {
    const called = dice.between(0, count) + (at % clients)
    const [effect, returned] = [called + dice.between(0, 4), called + 4 + dice.between(0, 4)]
    return {
      kind: dice.pick(['get', 'set', 'cas'] as const)!,
      value: at + 1,
      called,
      effect,
      returned,
      lost: dice.chance(0.1),
    }
  })
  let held = 0
  const history: Operation[] = []
  for (const { kind, value, called, effect, returned, lost } of plans.sort((a, b) => a.effect - b.effect)) {
    if (lost && dice.chance(0.5)) {
      history.push({ ...operation(kind, called, undefined, { value }), result: undefined })
      continue
    }
    const expected = dice.chance(0.7) ? held : 0
    const took = kind === 'set' || (kind === 'cas' && expected === held)
    const result = kind === 'get' ? held : took ? 1 : 0
    if (took) held = value
    const until = lost ? effect + 1000 : returned
    history.push({
      ...operation(kind, called, lost ? undefined : until, { value, expected }),
      result: lost ? undefined : result,
    })
  }
  return history
}

/** Changes the answer of a read. */
function lie(history: Operation[], seed: number): Operation[] {
  const dice = new Dice(seed + 7)
  const reads = history.filter(({ kind, returned }) => kind === 'get' && returned !== undefined)
  const liar = dice.pick(reads)
  if (liar !== undefined) liar.result = dice.whole(0, history.length)
  return history
}

function everyOrder(history: readonly Operation[]): boolean {
  return explain(history, 0)
}

function explain(left: readonly Operation[], held: number): boolean {
  if (left.every(({ returned }) => returned === undefined)) return true
  const first = Math.min(...left.map(({ returned }) => returned ?? Infinity))
  return left.some((candidate) => {
    if (candidate.called > first) return false
    const { kind, value, expected, result, returned } = candidate
    const took = kind === 'set' || (kind === 'cas' && expected === held)
    const would = kind === 'get' ? held : took ? 1 : 0
    if (returned !== undefined && would !== result) return false
    return explain(
      left.filter((other) => other !== candidate),
      took ? value : held,
    )
  })
}
