import { expect } from 'chai'
import * as fc from 'fast-check'
import { humanDuration, humanSize, parseDuration, printable, table } from '../../../node/cli/text.ts'

describe('text for terminals', () => {
  it('aligns columns, numbers to the right', () => {
    const rows = [
      ['alpha-1', '3', 'yes'],
      ['b', '12.5', ''],
    ]
    expect(table(['NAME', 'N', 'OK'], rows)).to.equal('NAME        N  OK\nalpha-1     3  yes\nb        12.5\n')
    expect(table(['NAME'], [])).to.equal('NAME\n')
  })

  it('lets no control character of a peer through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // oxlint-disable-next-line no-control-regex
        expect(printable(text)).not.to.match(/[\u0000-\u001f\u007f-\u009f\u202e]/)
      }),
    )
    expect(printable('\u001b[2Jgrüße 漢字')).to.equal('�[2Jgrüße 漢字')
  })

  it('writes sizes', () => {
    expect([0, 1, 1023, 1024, 1536, 104_857_600, 2 ** 40].map(humanSize)).to.deep.equal([
      '0 B',
      '1 B',
      '1023 B',
      '1.0 KiB',
      '1.5 KiB',
      '100 MiB',
      '1.0 TiB',
    ])
  })

  it('writes durations', () => {
    expect([-1, 0.44, 9.9, 61, 3600, 90_000].map(humanDuration)).to.deep.equal([
      '0.0s',
      '0.4s',
      '9.9s',
      '1m 1s',
      '1h 0m',
      '1d 1h',
    ])
  })

  it('reads durations, in seconds', () => {
    expect(['300ms', '90', '90s', '1.5h', '7d'].map(parseDuration)).to.deep.equal([0.3, 90, 90, 5400, 604_800])
    for (const text of ['', '0', '-1s', 'soon', '1w', '1e3', 'Infinity', ' 1s'])
      expect(parseDuration(text), text).to.equal(undefined)
  })
})
