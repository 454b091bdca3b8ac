import { expect } from 'chai'
import { pinsText, pinText, planText, statusText, waitingText } from '../../../node/cli/pin-text.ts'
import { createStatusLine, percent } from '../../../node/cli/progress.ts'
import { queryHeader, queryLine } from '../../../node/cli/query-rows.ts'
import type { PinReason } from '../../../node/operations.ts'
import { FAKE_CID, FAKE_PEER } from '../../helpers/fake-operations.ts'
import { pinDocument, PINNED, statusDocument, STUCK } from '../../helpers/fake-pins.ts'
import { memoryIo } from '../../helpers/memory-io.ts'

const NOW = Date.parse('2026-01-01T02:00:00.000Z')
const HOSTILE = 'evil\u001b[2J\u202ename'

describe('pins in text', () => {
  it('are a table of what was agreed', () => {
    const pins = [
      pinDocument({ metadata: { team: 'sky' } }),
      pinDocument({ name: '', replicationMin: -1, replicationMax: -1 }),
    ]
    const [header, first, second] = pinsText(pins).split('\n')
    expect(header).to.match(/^CID +NAME +MODE +COPIES +AT +EXPIRES +CREATED +METADATA$/)
    expect(first).to.match(/photos +recursive +2 to 3 +alpha-1 +never +2026-01-01T00:00:00.000Z +team=sky$/)
    expect(second).to.match(/ - +recursive +every member +alpha-1 +never /)
    expect(pinsText([pinDocument()], false)).not.to.contain('NAME')
  })

  it('name who holds them: the first few, whoever has no name by its peer id, this node where there is no cell', () => {
    const at = (changes: Parameters<typeof pinDocument>[0]) => pinsText([pinDocument(changes)], false)
    expect(at({ allocations: ['a', 'b', 'c', 'd', 'e'], names: { a: 'alpha-1', c: 'alpha-3' } })).to.contain(
      ' alpha-1, b, alpha-3 and 2 more ',
    )
    expect(at({ allocations: [] })).to.contain(' here ')
    const names = { [FAKE_PEER]: 'alpha-1', other: 'alpha-2' }
    const text = pinText(pinDocument({ allocations: [FAKE_PEER, 'other'], owner: 'other', names }))
    expect(text).to.match(/^allocated to: +alpha-1\nallocated to: +alpha-2$/m)
    expect(text).to.match(/^asked of: +alpha-2$/m)
  })

  it('say all of one pin', () => {
    const text = pinText(
      pinDocument({ replicationMin: 3, expires: '2027-01-01T00:00:00.000Z', origins: ['/ip4/1.2.3.4/tcp/1'] }),
    )
    expect(text).to.match(/^copies: +3$/m)
    expect(text).to.match(/^expires: +2027-01-01T00:00:00.000Z$/m)
    expect(text).to.match(/^origin: +\/ip4\/1\.2\.3\.4\/tcp\/1$/m)
  })

  it('say of each copy how far it is, when it was proven, and in words why it is stuck', () => {
    const [title, header, held, stuck, why] = statusText(statusDocument(), NOW).split('\n')
    expect(title).to.equal(`${FAKE_CID} photos: 1 pinned, wanted 2 to 3`)
    expect(header).to.match(/^NODE +STATUS +SINCE +TRIES +PROGRESS +PROVEN$/)
    expect(held).to.match(/^alpha-1 +pinned +2h 0m ago +1 +- +1h 0m ago$/)
    expect(stuck).to.match(/^alpha-2 +pinning +2h 0m ago +3 +40 % of 100 MiB, 1\.0 MiB\/s +never$/)
    expect(why).to.equal(
      `alpha-2: no more of it comes (nobody sends it); waits for the block ${FAKE_CID}; the last block came 1m 30s ago`,
    )
  })

  it('have words for every reason, and show one of a later release as it is', () => {
    const codes: PinReason['code'][] = [
      'waiting',
      'no_providers',
      'dial_failed',
      'fetching',
      'stalled',
      'quota',
      'too_large',
      'unreachable',
      'proof_failed',
      'storage',
      'invalid',
    ]
    const said = (code: string) =>
      statusText(statusDocument({ copies: [{ ...STUCK, reason: { code: code as 'quota', message: '' } }] }), NOW).split(
        '\n',
      )[3]
    expect(new Set(codes.map(said)).size).to.equal(codes.length)
    for (const code of codes)
      expect(said(code))
        .to.match(/^alpha-2: [a-z ]+( CID says)?$/)
        .and.not.contain('_')
    expect(said('of_later')).to.equal('alpha-2: of_later')
  })

  it('are one line while people wait', () => {
    expect(waitingText(statusDocument())).to.equal('1 of 2 copies held; alpha-2 40 % of 100 MiB, 1.0 MiB/s')
    const unknown = { ...STUCK, progress: { blocks: 0, bytes: 1024, totalBytes: null, bytesPerSecond: 0 } }
    expect(waitingText(statusDocument({ pinned: 0, copies: [unknown] }))).to.equal(
      '0 of 1 copies held; alpha-2 1.0 KiB, 0 B/s',
    )
  })

  it('say what would be moved and what nobody can take', () => {
    const move = { cid: FAKE_CID, name: 'a', add: ['third'], drop: [], reason: 'below_min' as const }
    const short = [{ cid: FAKE_CID, name: 'b', wants: 2, has: 1 }]
    const text = planText({ moves: [move], short, more: 3, names: { third: 'alpha-3' } })
    expect(text).to.match(/ a +below min +alpha-3 +-\n/)
    expect(text).to.contain('and 3 more\n')
    expect(text).to.contain(`short: ${FAKE_CID} b has 1 of 2 copies`)
    expect(planText({ moves: [], short: [], more: 0, names: {} })).to.equal('nothing is to be moved\n')
  })

  it('let no control character of a name, a reason or a peer through', () => {
    const reason = { code: 'stalled' as const, message: HOSTILE, missing: HOSTILE }
    const copy = { ...PINNED, name: HOSTILE, since: HOSTILE, reason, progress: STUCK.progress }
    const status = statusDocument({ name: HOSTILE, copies: [copy] })
    const pin = pinDocument({
      name: HOSTILE,
      metadata: { [HOSTILE]: HOSTILE },
      origins: [HOSTILE],
      allocations: [HOSTILE],
    })
    const plan = {
      moves: [{ cid: FAKE_CID, name: HOSTILE, add: [HOSTILE], drop: [], reason: 'lost' as const }],
      short: [{ cid: FAKE_CID, name: HOSTILE, wants: 2, has: 1 }],
      more: 0,
      names: {},
    }
    const row = { peerId: FAKE_PEER, name: HOSTILE, data: status }
    const more = { ...row, data: { next: HOSTILE } }
    for (const text of [
      statusText(status, NOW),
      waitingText(status),
      pinsText([pin]),
      pinText(pin),
      planText(plan),
      queryLine('pins', row),
      queryLine('pins', more),
    ]) {
      expect(text).to.contain('evil')
      // oxlint-disable-next-line no-control-regex
      expect(text).not.to.match(/[\u0000-\u0009\u000b-\u001f\u202e]/)
    }
  })

  it('are rows of what each node says of itself', () => {
    expect(queryHeader('pins')).to.match(/^NODE +CID +NAME +STATUS +SINCE +PROVEN +WHY$/)
    const line = (data: unknown) => queryLine('pins', { peerId: FAKE_PEER, name: 'alpha-2', data })
    expect(line(statusDocument({ copies: [STUCK] }))).to.match(
      /^alpha-2 +bafk\w+ +photos +pinning +2026-01-01T00:00:00.000Z +- +nobody sends it\n$/,
    )
    expect(line({ next: 'two' })).to.equal('alpha-2     more: --after two\n')
    for (const data of [undefined, 1, {}, { copies: 'x' }, { copies: [null] }])
      expect(line(data)).to.match(/^alpha-2 +- /)
  })
})

describe('a line of status', () => {
  const terminal = (columns?: number) => {
    const io = memoryIo()
    Object.assign(io.stderr, { isTTY: true, columns })
    return io
  }

  it('is written over, and wiped', () => {
    const io = terminal()
    const line = createStatusLine(io)
    line.show(() => 'one')
    line.clear()
    expect(io.written()).to.equal('\r\u001b[Kone\r\u001b[K')
  })

  it('is drawn ten times a second at most, and costs nothing in between', () => {
    const io = terminal()
    const line = createStatusLine(io)
    let asked = 0
    for (let i = 0; i < 100; i++) line.show(() => String(++asked))
    expect(asked).to.be.lessThan(100)
  })

  it('never wraps', () => {
    const io = terminal(10)
    createStatusLine(io).show(() => '0123456789')
    expect(io.written()).to.equal('\r\u001b[K01234567…')
  })

  it('is not there where nobody looks', () => {
    const io = memoryIo()
    const line = createStatusLine(io)
    line.show(() => 'one')
    line.clear()
    expect(io.written()).to.equal('')
  })

  it('knows parts of what is known', () => {
    expect([
      percent(1, 3),
      percent(5, 3),
      percent(0, 3),
      percent(1, 0),
      percent(1, null),
      percent(1, undefined),
    ]).to.deep.equal(['33 %', '100 %', '0 %', '', '', ''])
  })
})
