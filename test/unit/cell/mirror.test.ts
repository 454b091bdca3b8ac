import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { Mirror } from '../../../node/cell/mirror.ts'
import type { StateChange, StateStore } from '../../../node/cell/state-store.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('cell: the mirror of the state', () => {
  function store(fails = false) {
    const written: { applied: number; changes: [string, Uint8Array | undefined][] }[] = []
    const apply = async ({ applied, changes }: StateChange) => {
      if (fails) throw new Error('no space')
      written.push({ applied, changes: [...changes].map(([key, value]) => [key, value]) })
    }
    return { written, mirror: new Mirror({ applied: 0, apply } as unknown as StateStore) }
  }

  it('what comes together is written once, of each key the last value, with the last index', async () => {
    const { written, mirror } = store()
    expect(mirror.isEmpty).to.equal(true)
    await mirror.push(1, [['a', bytes('1')]])
    expect(mirror.isEmpty).to.equal(false)
    await mirror.push(2, [
      ['a', null],
      ['b', bytes('2')],
    ])
    await mirror.settled()
    expect(written).to.deep.equal([
      {
        applied: 2,
        changes: [
          ['a', undefined],
          ['b', bytes('2')],
        ],
      },
    ])
  })

  it('what comes while it writes follows, and whoever waits gets all of it', async () => {
    const { written, mirror } = store()
    const pushes = Array.from({ length: 5 }, (_, at) => mirror.push(at + 1, []))
    const settled = mirror.settled()
    await mirror.push(6, [])
    await Promise.all([...pushes, settled])
    await mirror.settled()
    expect(written.at(-1)?.applied).to.equal(6)
  })

  it('who waits does not wait for what comes later, however much that is', async () => {
    const gates: PromiseWithResolvers<void>[] = []
    const apply = () => {
      const gate = Promise.withResolvers<void>()
      gates.push(gate)
      return gate.promise
    }
    const mirror = new Mirror({ applied: 0, apply } as unknown as StateStore)
    await mirror.push(1, [])
    const settled = mirror.settled()
    await turn()
    await mirror.push(2, [])
    gates[0]!.resolve()
    await settled
    const later = mirror.settled()
    await turn()
    expect(gates, 'the second is on its way').to.have.lengthOf(2)
    gates[1]!.resolve()
    await later
  })

  it('a write that failed is told to whoever comes next, and nothing more is taken', async () => {
    const { mirror } = store(true)
    await mirror.push(1, [])
    expect(await mirror.settled().catch(String)).to.equal('Error: no space')
    expect(await mirror.push(2, []).catch(String)).to.equal('Error: no space')
  })
})
