import { expect } from 'chai'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { failed, failureOf, refusalOf, refused } from '../../../protocols/shared/fields.ts'

describe('errors that a peer is told', () => {
  it('are ours, with what to do, as far as a frame has room', () => {
    const error = new CodedError('E_SYNC_BUSY', 'x'.repeat(5_000), { hint: 'y'.repeat(5_000) })
    const [refusal, failure] = [refusalOf(error), failureOf(error)]
    expect(refused.parse(refusal)).to.deep.equal({ type: 'refused', code: 'E_SYNC_BUSY', message: 'x'.repeat(512) })
    const said = { type: 'error', code: 'E_SYNC_BUSY', message: 'x'.repeat(1024), hint: 'y'.repeat(1024) }
    expect(failed.parse(failure)).to.deep.equal(said)
  })

  it('of any other origin are only that there was one', () => {
    const secrets = [
      Object.assign(new Error('open /home/alice/.kairos/node.key'), { code: 'ENOENT' }),
      Object.assign(new Error('of a library'), { code: 'E_OF_A_LIBRARY' }),
      new CodedError('not a code', 'secret', { hint: 'secret' }),
      'secret',
    ]
    for (const secret of secrets) {
      const said = { code: 'E_INTERNAL', message: 'the node failed' }
      expect(refusalOf(secret)).to.deep.equal({ type: 'refused', ...said })
      expect(failureOf(secret)).to.deep.equal({ type: 'error', ...said })
    }
  })
})
