import { expect } from 'chai'
import { checkCell } from '../../../node/doctor-cell.ts'
import type { CellMemberRow, CellStatusDocument } from '../../../node/cell/types.ts'
import { ALPHA_1, ALPHA_2, ALPHA_3, fakeCell, fakeParts, memberRow, WELL } from '../../helpers/fake-cell.ts'

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()

describe('doctor on the cell', () => {
  const checked = (status: Partial<CellStatusDocument> = {}, rows?: CellMemberRow[]) =>
    checkCell(fakeParts(fakeCell({ status: { ...WELL, ...status }, ...(rows === undefined ? {} : { rows }) })).parts)
  const found = async (check: string, ...state: Parameters<typeof checked>) =>
    (await checked(...state)).find((finding) => finding.check === check)!

  it('finds nothing where it works, and says nothing where there is none', async () => {
    const findings = await checked()
    expect(findings.filter(({ ok, remedy }) => !ok || remedy !== undefined)).to.deep.equal([])
    expect(findings[0]?.message).to.equal('led by alpha-1 in term 4')
    expect(await checkCell(fakeParts(undefined, 'relay').parts)).to.deep.equal([])
  })

  const joining = (seconds: number) => [
    memberRow(ALPHA_1, 'alpha-1'),
    memberRow(ALPHA_2, 'alpha-2', { status: 'joining', counts: 'learner', behind: 70, since: ago(seconds) }),
  ]
  const damage = { code: 'E_CELL_LOG_CORRUPT', message: 'the log is damaged', hint: 'let it join again' }
  const BAD = [
    ['no leader', 'cell', [{ leader: null, role: 'candidate' }], /no leader/, /start the other voters/],
    ['not joined yet', 'cell', [{ leader: null, role: 'none' }], /not joined/, /start a member of the cell/],
    ['a damaged log', 'cell', [{ problem: damage }], /damaged \(E_CELL_LOG_CORRUPT\)/, /^let it join again$/],
    ['a learner that stays one', 'cell learners', [{}, joining(90)], /alpha-2 \(70 entries behind\)/, /members rm/],
    ['a lag of the state', 'cell state', [{ commitIndex: 20_000 }], /19981 committed entries/, /too slow/],
    [
      'a damaged store',
      'cell stores',
      [{ renewed: ['the stored state is damaged'] }],
      /is damaged; begun anew/,
      /disk may be failing/,
    ],
    ['a log that grows', 'cell log', [{ appliedIndex: 300_000 }], /299990 entries .* grows/, /kairos cell snapshot/],
    ['traps', 'cell engine', [{ counters: { ...WELL.counters, traps: 1 } }], /trapped 1 time /, /--bundle/],
  ] as const
  for (const [what, check, [status, rows], message, remedy] of BAD)
    it(`finds ${what}, with a remedy`, async () => {
      const finding = await found(check, status as Partial<CellStatusDocument>, rows)
      expect(finding.ok).to.equal(false)
      expect(finding.message).to.match(message)
      expect(finding.remedy).to.match(remedy)
    })

  it('warns of two voters, of a voter that is silent, of no majority seen under a known leader, of refused messages and of a slow disk', async () => {
    const two = { voters: [ALPHA_1, ALPHA_2] }
    const warnings = [
      await found('cell voters', two),
      await found('cell voters', { ...two, learners: [ALPHA_3] }),
      await found('cell answers', {}, [memberRow(ALPHA_2, 'alpha-2', { isActive: false })]),
      await found('cell', { hasQuorum: false }),
      await found('cell messages', { counters: { ...WELL.counters, refusedMessages: 21 } }),
      await found('cell disk', { counters: { ...WELL.counters, slowFlushes: 21 } }),
    ]
    for (const { ok, message, remedy } of warnings) expect([ok, remedy], message).to.satisfy(isWarning)
    expect(warnings.slice(0, 2).map(({ remedy }) => remedy)).to.deep.equal([
      'invite a third full node',
      'a third one is catching up: wait for it',
    ])
  })

  it('counts how many voters may fail, and gives a joiner its minute', async () => {
    const voters = (count: number) => found('cell voters', { voters: Array.from({ length: count }, () => ALPHA_1) })
    expect((await voters(1)).message).to.equal('1 voter; 0 of them may fail')
    expect((await voters(3)).message).to.equal('3 voters; 1 of them may fail')
    expect((await voters(5)).message).to.equal('5 voters; 2 of them may fail')
    expect((await found('cell learners', {}, joining(20))).ok).to.equal(true)
  })

  it('still says what is wrong when the members cannot be read', async () => {
    const cell = fakeCell({ status: { ...WELL, problem: damage }, members: () => Promise.reject(new Error('closed')) })
    expect((await checkCell(fakeParts(cell).parts))[0]).to.include({ ok: false, remedy: 'let it join again' })
  })
})

function isWarning([ok, remedy]: [boolean, string | undefined]): boolean {
  return ok && remedy !== undefined
}
