import { expect } from 'chai'
import { untilPinned } from '../../../node/pins/wait.ts'
import type { PinCopy, PinStatusDocument, PinWait } from '../../../node/operations-pins.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { collect } from '../../helpers/collect.ts'

const { signal } = new AbortController()

function copy(name: string, status: PinCopy['status'], code?: 'invalid' | 'too_large' | 'quota'): PinCopy {
  const reason = code === undefined ? null : { code, message: `it is ${code}` }
  return { peerId: name, name, status, reason, attempts: 0, since: '', progress: null, proven: null }
}

/** What is seen one look after the other, the last for ever; and what the wait comes to. */
async function wait(looks: PinCopy[][], options: PinWait, domains = 9): Promise<string> {
  const seen = looks.map((copies): PinStatusDocument => {
    const pinned = Math.min(domains, copies.filter(({ status }) => status === 'pinned').length)
    return { cid: 'cid', name: '', replicationMin: 1, replicationMax: 2, pinned, copies }
  })
  const look = async () => (seen.length > 1 ? seen.shift()! : seen[0]!)
  return collect(untilPinned(look, options, signal)).then(
    (rows) => `${rows.length} rows`,
    (error: CodedError) => `${error.code} ${error.message}`,
  )
}

describe('pins: waiting for copies', () => {
  const whole = [copy('a', 'pinned'), copy('b', 'pinned')]
  const half = [copy('a', 'pinned'), copy('b', 'pinning')]

  it('ends when all are pinned, or as many as were asked for', async () => {
    expect(await wait([half, whole], {})).to.equal('2 rows')
    expect(await wait([half], { copies: 1 })).to.equal('1 rows')
  })

  it('for more than there are to be is refused, also where two of them are in one domain', async () => {
    expect(await wait([half], { copies: 3 })).to.match(/^E_PARAMETER .* 3 copies .* to be 2/)
    expect(await wait([half, whole], { copies: 2 }, 1)).to.match(/^E_PARAMETER .* 2 copies .* to be 1/)
  })

  it('ends with what a copy has failed with for good, unless the others are enough', async () => {
    const bad = copy('b', 'pin_error', 'too_large')
    expect(await wait([half, [copy('a', 'pinned'), bad]], {})).to.match(/^E_DAG_TOO_LARGE .*b: it is too_large/)
    expect(await wait([[copy('a', 'pin_error', 'invalid'), bad]], { copies: 1 })).to.match(/^E_CONTENT_MALFORMED/)
    expect(
      await wait(
        [
          [copy('a', 'pinning'), bad],
          [copy('a', 'pinned'), bad],
        ],
        { copies: 1 },
      ),
    ).to.equal('2 rows')
  })

  it('goes on where a copy has failed and is tried again', async () => {
    expect(await wait([[copy('a', 'pinned'), copy('b', 'pin_error', 'quota')], whole], {})).to.equal('2 rows')
  })
})
