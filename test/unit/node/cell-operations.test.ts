import { expect } from 'chai'
import { cellReasons, cellSummaries, createCellOperations } from '../../../node/cell-operations.ts'
import type { CellService } from '../../../node/cell/types.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { collect } from '../../helpers/collect.ts'
import { ALPHA_1, ALPHA_2, ALPHA_3, fakeCell, fakeParts, memberRow, WELL } from '../../helpers/fake-cell.ts'

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it should have been refused'),
    (error: unknown) => error as CodedError,
  )

const { signal } = new AbortController()
const leaving = (parts: ReturnType<typeof fakeParts>['parts'], drain = true) =>
  collect(createCellOperations(parts).leave({ drain }, signal))

describe('the cell as the faces see it', () => {
  const operationsOf = (cell: CellService | undefined) => createCellOperations(fakeParts(cell).parts)

  it('names people: leader, voters and learners by what the mesh calls them, strangers by their peer id', () => {
    const { parts } = fakeParts(fakeCell({ status: { ...WELL, learners: [ALPHA_3], voters: [ALPHA_1, ALPHA_2] } }))
    expect(cellSummaries(parts)).to.deep.equal([
      {
        name: 'alpha',
        role: 'leader',
        leader: 'alpha-1',
        term: 4,
        commitIndex: 20,
        appliedIndex: 19,
        voters: ['alpha-1', 'alpha-2'],
        learners: [ALPHA_3],
        hasQuorum: true,
        problem: null,
      },
    ])
    const names = { [ALPHA_1]: 'alpha-1', [ALPHA_2]: 'alpha-2', [ALPHA_3]: ALPHA_3 }
    expect(createCellOperations(parts).status().names).to.deep.equal(names)
  })

  it('takes a member by peer id, known here or not, and by name', async () => {
    const cell = fakeCell()
    const operations = operationsOf(cell)
    const unknown = '12D3KooWKeSpBbLEWBZN27WRueHVYcDX9JnEZVWFo8FBNQu8s3r4'
    await operations.label('alpha-3', 'rack', 'r1')
    await operations.label(ALPHA_2, 'rack', null)
    await operations.transfer('alpha-2')
    await operations.transfer()
    await operations.remove(unknown, 'lost')
    expect(cell.calls).to.deep.equal([
      ['setLabel', ALPHA_3, 'rack', 'r1'],
      ['setLabel', ALPHA_2, 'rack', null],
      ['transfer', ALPHA_2],
      ['transfer', ALPHA_2],
      ['remove', unknown, 'lost'],
    ])
  })

  it('finds the name of a node outside the cell too, whose certificate is to be revoked', async () => {
    const cell = fakeCell()
    expect(await operationsOf(cell).remove('beta-1', 'gone')).to.include({ peerId: '12D3KooWbeta', name: 'beta-1' })
  })

  it('refuses a name that nobody or more than one has, saying what to give', async () => {
    const nobody = await refusal(operationsOf(fakeCell()).remove('omega-9', ''))
    expect([nobody.code, nobody.hint]).to.deep.equal([
      'E_MEMBER_UNKNOWN',
      '`kairos members` lists the cell, `kairos peers` all others',
    ])
    const cell = fakeCell({ rows: [memberRow(ALPHA_2, 'twin'), memberRow(ALPHA_3, 'twin')] })
    const two = await refusal(operationsOf(cell).remove('twin', ''))
    expect(two.code).to.equal('E_INVALID_INPUT')
    expect(two.hint).to.contain(ALPHA_2).and.contain(ALPHA_3)
    expect(cell.calls).to.deep.equal([])
  })

  it('does not let a node shut its own key out: it leaves instead', async () => {
    const cell = fakeCell()
    const error = await refusal(operationsOf(cell).remove('alpha-1', ''))
    expect([error.code, cell.calls]).to.deep.equal(['E_INVALID_INPUT', []])
    expect(error.hint).to.contain('kairos leave')
  })

  it('reads linearizably unless told, and stale where there is no quorum', async () => {
    const members: CellService['members'] = async ({ stale = false } = {}) => {
      if (stale) return [memberRow(ALPHA_1, 'alpha-1')]
      throw new CodedError('E_NO_QUORUM', 'no majority')
    }
    const operations = operationsOf(fakeCell({ members }))
    expect((await refusal(operations.members({ stale: false }))).code).to.equal('E_NO_QUORUM')
    expect(await operations.members({ stale: true })).to.have.length(1)
  })

  it('stops the node once it has left, and not when leaving failed', async () => {
    const good = fakeParts(fakeCell())
    expect(await leaving(good.parts)).to.deep.equal([{ left: 'alpha' }])
    const leave = () => Promise.reject(new CodedError('E_MEMBER_LAST', 'the last voter'))
    const last = fakeParts(fakeCell({ leave }))
    expect((await refusal(leaving(last.parts))).code).to.equal('E_MEMBER_LAST')
    expect([good.stopped.count, last.stopped.count]).to.deep.equal([1, 0])
  })

  it('leaves once its copies are elsewhere, unless told not to wait, and at once where its leader cannot be asked', async () => {
    const cell = fakeCell()
    const { parts, stopped } = fakeParts(cell)
    const pins = {
      async *drain({ leave, isRepairing }: { leave: () => Promise<void>; isRepairing: () => Promise<boolean> }) {
        cell.calls.push(['drain', await isRepairing()])
        yield 2
        await leave()
      },
    }
    Object.assign(parts, { pins, config: { pins: { repair: false } } })
    expect(await leaving(parts)).to.deep.equal([{ copiesLeft: 2 }, { left: 'alpha' }])
    expect(await leaving(parts, false)).to.deep.equal([{ left: 'alpha' }])
    expect([cell.calls, stopped.count]).to.deep.equal([[['drain', false], ['leave'], ['leave']], 2])
  })

  it('drains a member by name, says how much there is to move, and takes it back', async () => {
    const cell = fakeCell({ rows: [memberRow(ALPHA_2, 'alpha-2', { copies: 7 })] })
    const operations = operationsOf(cell)
    const two = { peerId: ALPHA_2, name: 'alpha-2', copies: 7 }
    expect(await operations.drain('alpha-2', true)).to.deep.equal({ ...two, draining: true })
    expect(await operations.drain(ALPHA_2, false)).to.deep.equal({ ...two, draining: false })
    expect(cell.calls).to.deep.equal([
      ['drain', ALPHA_2, true],
      ['drain', ALPHA_2, false],
    ])
  })

  it('on a node without a cell refuses everything, and names the full nodes of its cell', async () => {
    const { parts } = fakeParts(undefined, 'light')
    const cell = createCellOperations(parts)
    const asked = [
      () => cell.members({ stale: false }),
      () => cell.remove('alpha-2', ''),
      () => cell.label('alpha-2', 'a', 'b'),
      () => cell.transfer(),
      () => cell.snapshot(),
      () => cell.drain('alpha-2', true),
      () => leaving(parts),
      async () => cell.status(),
    ]
    for (const ask of asked) {
      const error = await refusal(ask())
      expect([error.code, error.hint]).to.deep.equal(['E_NOT_IN_ROLE', 'ask alpha-2: run the command there'])
      expect(error.message).to.equal('a light node takes no part in the agreement of cell alpha')
    }
    expect([cellSummaries(parts), cellReasons(parts)]).to.deep.equal([[], []])
  })

  it('is a reason not to be ready while there is no leader, no membership, or a problem', () => {
    const reasons = (changes: object) => cellReasons({ cell: fakeCell({ status: { ...WELL, ...changes } }) })
    expect(reasons({})).to.deep.equal([])
    expect(reasons({ hasQuorum: false })).to.deep.equal([])
    expect(reasons({ leader: null })).to.deep.equal(['cell alpha has no leader'])
    expect(reasons({ leader: null, role: 'none' })).to.deep.equal(['this node has not joined cell alpha yet'])
    const problem = { code: 'E_CELL_LOG_CORRUPT', message: 'the log is damaged' }
    expect(reasons({ problem })).to.deep.equal(['cell alpha: the log is damaged (E_CELL_LOG_CORRUPT)'])
  })
})
