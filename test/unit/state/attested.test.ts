import { expect } from 'chai'
import {
  applyEntries,
  attestedOf,
  commandCodec,
  fromSorted,
  entries,
  initialState,
  root,
  SESSION_WINDOW,
  size,
  stateOf,
} from '../../../consensus/state/index.ts'
import { commandOf, peer, Replica } from './cell.ts'

type T = [number, number] | null
const attest = (epoch: number, t: T = [5, -7]) => ({ type: 'epoch-attest', epoch, t }) as const
const label = (value: string) => ({ type: 'label-set', peerId: peer('A'), key: 'k', value }) as const
const old = { ok: false, code: 'E_EPOCH_OLD' }

describe('what a cell says of itself to the mesh', () => {
  it('is kept: the last epoch, its T_cell, and the entry that said it', () => {
    const replica = new Replica()
    expect(attestedOf(replica.tree)).to.equal(undefined)
    expect(replica.run(attest(3))).to.deep.equal({ ok: true })
    expect(replica.run(attest(9, null))).to.deep.equal({ ok: true })
    expect(attestedOf(replica.tree)).to.deep.equal({ epoch: 9, index: 2, t: null })
  })

  it('is never of an earlier epoch, and has one T_cell for each', () => {
    const replica = new Replica()
    replica.run(attest(9))
    expect(replica.run(attest(8))).to.deep.equal(old)
    expect(replica.run(attest(9, [5, -8]))).to.deep.equal(old)
    expect(replica.run(attest(9, null))).to.deep.equal(old)
    expect(attestedOf(replica.tree)).to.deep.equal({ epoch: 9, index: 1, t: [5, -7] })
    expect(replica.state.attested?.index).to.equal(1)
  })

  it('may be said again of the same epoch, for what has changed meanwhile', () => {
    const replica = new Replica()
    replica.run(attest(9))
    replica.run(label('new'))
    expect(replica.run(attest(9))).to.deep.equal({ ok: true })
    expect(replica.state.attested?.index).to.equal(3)
  })

  it('is taken once when it is tried again', () => {
    const replica = new Replica()
    const at = (sequence: number) => ({ session: { client: 'c', opened: 0, sequence } })
    replica.command(attest(1), at(1))
    replica.command(attest(2), at(2))
    expect(replica.command(attest(1), at(1)).result).to.deep.equal({ ok: true })
    expect(attestedOf(replica.tree)?.epoch).to.equal(2)
    expect(replica.state.attested?.index).to.equal(2)
  })

  it('leaves a state no larger, however often', () => {
    const replica = new Replica()
    const until = (epoch: number) => {
      while ((attestedOf(replica.tree)?.epoch ?? 0) < epoch)
        replica.run(attest((attestedOf(replica.tree)?.epoch ?? 0) + 1))
      return size(replica.tree)
    }
    expect(until(2 * SESSION_WINDOW)).to.equal(until(3 * SESSION_WINDOW))
  })

  it('is of a T within the range of Q1.30, of an epoch that there can be', () => {
    const whole = commandOf(attest(1, [2 ** 30, -(2 ** 30)]))
    expect(commandCodec.decode(commandCodec.encode(whole))).to.deep.equal(whole)
    for (const wrong of [attest(-1), attest(0.5), attest(1, [2 ** 30 + 1, 0])])
      expect(() => commandCodec.decode(commandCodec.encode(commandOf(wrong)))).to.throw()
  })

  it('has the root of the state with its entry and no later one, however entries are cut into batches', () => {
    const bodies = [label('a'), attest(1), label('b'), attest(2), label('c'), label('d')]
    const log = bodies.map((body, at) => {
      const session = { client: 'c', opened: 0, sequence: at + 1 }
      return {
        index: at + 1,
        term: 1,
        kind: 'normal' as const,
        data: commandCodec.encode(commandOf(body, { session })),
      }
    })
    const until4 = applyEntries(initialState(), log.slice(0, 4), new Map()).state
    const expected = root(until4.tree).toString()
    for (const cut of [1, 2, 3, 6]) {
      let state = initialState()
      for (let from = 0; from < log.length; from += cut)
        state = applyEntries(state, log.slice(from, from + cut), new Map()).state
      expect(state.attested?.index).to.equal(4)
      expect(root(state.attested!.tree).toString()).to.equal(expected)
      expect(root(state.tree).toString()).not.to.equal(expected)
    }
  })

  it('has no root any more in a process that read its state from a disk, but the same record', () => {
    const replica = new Replica()
    replica.run(attest(4))
    const read = stateOf(fromSorted(entries(replica.tree)))
    expect(read.attested).to.equal(undefined)
    expect(attestedOf(read.tree)).to.deep.equal({ epoch: 4, index: 1, t: [5, -7] })
  })
})
