import { expect } from 'chai'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { refusalError, refusalFrom, REFUSALS } from '../../../protocols/admission/index.ts'

describe('admission: refusals', () => {
  for (const [code, refusal] of Object.entries(REFUSALS)) {
    it(`${code} survives libp2p's rewrapping with a message and a hint for either side`, () => {
      for (const side of ['local', 'remote'] as const) {
        const rewrapped = new Error(refusalError(code, side).message)
        const found = refusalFrom(
          new AggregateError([new Error('ECONNREFUSED'), rewrapped], 'All multiaddr dials failed'),
        )
        expect(found).to.be.instanceOf(CodedError)
        expect(found?.code).to.equal(code)
        expect(found?.message).to.contain(refusal.message)
        expect(found?.hint).to.equal(side === 'remote' ? refusal.hint : refusal.refuserHint)
      }
    })
  }

  it('says which side refused', () => {
    expect(refusalFrom(refusalError('E_CERT_EXPIRED', 'remote'))?.message).to.match(/^the peer refused this node: /)
    expect(refusalFrom(refusalError('E_CERT_EXPIRED', 'local'))?.message).to.match(/^this node refused the peer: /)
  })

  it('keeps a code of a later release', () => {
    const found = refusalFrom(refusalError('E_NOT_YET_INVENTED', 'remote'))
    expect(found?.code).to.equal('E_NOT_YET_INVENTED')
    expect(found?.hint).to.be.a('string')
  })

  it('looks into causes and finds nothing where there is nothing', () => {
    const inner = refusalError('E_TICKET_USED', 'remote')
    expect(refusalFrom(new Error('outer', { cause: inner }))?.code).to.equal('E_TICKET_USED')
    expect(refusalFrom(new Error('connection reset'))).to.equal(undefined)
    expect(refusalFrom('E_TICKET_USED')).to.equal(undefined)
  })
})
