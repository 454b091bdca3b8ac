import { expect } from 'chai'
import { publishCellEvents } from '../../../node/cell-events.ts'
import { ALPHA_1, ALPHA_2, ALPHA_3, fakeCell, fakeParts, WELL } from '../../helpers/fake-cell.ts'

describe('events of the cell', () => {
  it('tell each change once: leader, who joins, gets its vote and goes, what breaks and recovers', () => {
    const cell = fakeCell({ status: { ...WELL, voters: [ALPHA_1] } })
    let told: Record<string, unknown>[] = []
    const publish = (type: string, data: Record<string, unknown>) => void told.push({ type, ...data })
    publishCellEvents(cell, { publish }, fakeParts(cell).parts)
    const after = (changes: object) => {
      told = []
      cell.status = { ...cell.status, ...changes }
      cell.observe.onChange?.()
      return told
    }
    const head = { type: 'cell', cell: 'alpha' }
    expect(after({ commitIndex: 21 })).to.deep.equal([])
    expect(after({ learners: [ALPHA_2] })).to.deep.equal([
      { ...head, change: 'joined', peerId: ALPHA_2, name: 'alpha-2' },
    ])
    expect(after({ learners: [], voters: [ALPHA_1, ALPHA_2] })).to.deep.equal([
      { ...head, change: 'promoted', peerId: ALPHA_2, name: 'alpha-2' },
    ])
    expect(after({ leader: null, term: 5 })).to.deep.equal([{ ...head, change: 'leader', peerId: null, term: 5 }])
    expect(after({ leader: ALPHA_2, voters: [ALPHA_2, ALPHA_3] })).to.deep.equal([
      { ...head, change: 'leader', peerId: ALPHA_2, name: 'alpha-2', term: 5 },
      { ...head, change: 'joined', peerId: ALPHA_3, name: ALPHA_3 },
      { ...head, change: 'removed', peerId: ALPHA_1, name: 'alpha-1' },
    ])
    const problem = { code: 'E_CELL_LOG_CORRUPT', message: 'damaged' }
    expect(after({ problem })).to.deep.equal([{ ...head, change: 'problem', ...problem }])
    expect(after({ problem: null })).to.deep.equal([{ ...head, change: 'recovered' }])
  })
})
