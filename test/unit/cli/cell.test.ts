import { expect } from 'chai'
import { PassThrough } from 'node:stream'
import { cellText, drainText, membersText, removalText, summaryText } from '../../../node/cli/cell-text.ts'
import { confirm } from '../../../node/cli/confirm.ts'
import type { Io } from '../../../node/cli/io.ts'
import type { CellDocument, CellSummary } from '../../../node/operations.ts'
import { ALPHA_1, ALPHA_2, memberRow, WELL } from '../../helpers/fake-cell.ts'
import { memoryIo } from '../../helpers/memory-io.ts'

const document: CellDocument = { ...WELL, voters: [ALPHA_1, ALPHA_2], names: { [ALPHA_1]: 'alpha-1' } }
const problem = { code: 'E_CELL_LOG_CORRUPT', message: 'the log is damaged', hint: 'let it join again' }

describe('the cell in text', () => {
  it('is one line of status, with what is not as it should be', () => {
    const { cell: name, role, term, commitIndex, appliedIndex } = WELL
    const common = { name, role, term, commitIndex, appliedIndex, problem: null }
    const well: CellSummary = { ...common, leader: 'alpha-1', voters: ['alpha-1'], learners: [], hasQuorum: true }
    expect(summaryText(well)).to.equal('alpha, leader, led by alpha-1 (1 voter; term 4, applied 19 of 20)')
    const ill: CellSummary = { ...well, role: 'candidate', leader: null, learners: ['b'], hasQuorum: false, problem }
    expect(summaryText(ill)).to.equal(
      'alpha, candidate, no leader (1 voter, 1 catching up, no quorum seen; term 4, applied 19 of 20); ' +
        'the log is damaged (E_CELL_LOG_CORRUPT)',
    )
  })

  it('names members where they are known, and says the problem with what to do', () => {
    const lines = cellText({ ...document, problem })
    expect(lines).to.match(/^voters: +alpha-1, 12D3KooW\w+$/m)
    expect(lines).to.match(/^leader: +alpha-1$/m)
    expect(lines).to.match(/^problem: +E_CELL_LOG_CORRUPT: the log is damaged\nto do: +let it join again$/m)
    const silent = cellText({ ...document, leader: null, role: 'none', hasQuorum: false })
    expect(silent).to.match(/^leader: +none$/m)
    expect(silent).to.match(/^this node: +not a member yet$/m)
    expect(silent).to.match(/\(no majority is connected\)/)
    expect(silent).not.to.contain('problem')
  })

  it('lists members with what only a leader knows left open, and lets no control character through', () => {
    const other = { behind: null, isActive: null, labels: { rack: 'r1', zone: 'a\u001b[2J' } }
    const text = membersText([memberRow(ALPHA_1, 'alpha-1'), memberRow(ALPHA_2, 'evil\u0007', other)])
    const [, first, second] = text.split('\n')
    expect(first).to.match(/alpha-1 \(this\) .* leader +0 +yes/)
    expect(second).to.match(/ - +- +0 +2026-01-01T00:00:00.000Z +rack=r1 zone=a/)
    const leaving = memberRow(ALPHA_2, 'alpha-2', { draining: true, copies: 12 })
    expect(membersText([leaving])).to.match(/ alpha-2 +1 +draining +voter .* yes +12 /)
    for (const control of ['\u0007', '\u001b']) expect(text).not.to.contain(control)
    expect(removalText({ peerId: ALPHA_2, name: 'b\u001b', reason: '' })).not.to.contain('\u001b')
  })
})

describe('draining in text', () => {
  it('says how much there is to move, and when it is taken back', () => {
    const two = { peerId: ALPHA_2, name: 'alpha-2\u001b' }
    expect(drainText({ ...two, draining: true, copies: 1 })).to.equal(
      'alpha-2� is drained: 1 copy to move, as kairos members shows',
    )
    expect(drainText({ ...two, draining: false, copies: 3 })).to.equal('alpha-2� is drained no more')
  })
})

describe('a question before what cannot be undone', () => {
  function terminal(answer: string): Io & { written(): string } {
    const io = memoryIo()
    const stdin = Object.assign(new PassThrough(), { isTTY: true })
    stdin.end(answer)
    return Object.assign(io, { stdin, stderr: Object.assign(io.stderr, { isTTY: true }) })
  }
  const codeOf = (io: Io) =>
    confirm(io, 'This node goes.').then(
      () => 'yes',
      (error: { code: string }) => error.code,
    )

  it('goes on after a yes, and only then', async () => {
    for (const answer of ['y\n', 'YES\n']) expect(await codeOf(terminal(answer))).to.equal('yes')
    for (const answer of ['\n', 'n\n', 'yellow\n', '']) expect(await codeOf(terminal(answer))).to.equal('E_INTERRUPTED')
  })

  it('asks on stderr, and not where nobody can answer', async () => {
    const io = terminal('y\n')
    await codeOf(io)
    expect(io.written()).to.contain('This node goes. Go on? [y/N]')
    expect(await codeOf(memoryIo())).to.equal('E_USAGE')
  })
})
