import { expect } from 'chai'
import { createOperations } from '../../../node/node-operations.ts'
import type { QueryTarget } from '../../../node/operations.ts'
import type { Parts } from '../../../node/parts.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { collect } from '../../helpers/collect.ts'
import { FAKE_PEER } from '../../helpers/fake-operations.ts'

describe('a query that this node cannot answer itself', () => {
  const fail = () => {
    throw new CodedError('E_NOT_IN_ROLE', 'not here')
  }
  const parts = {
    membership: { self: { peerId: FAKE_PEER, name: 'relay-1' } },
    network: { peers: async () => [] },
    content: {},
    pool: { global: fail },
    coherence: { document: () => ({}) },
  } as unknown as Parts
  const ask = (target: QueryTarget) =>
    collect(createOperations(parts).query('coherence', target, new AbortController().signal))

  it('is a row with its error among those of the others', async () => {
    expect(await ask({ all: true })).to.deep.equal([
      { peerId: FAKE_PEER, name: 'relay-1', error: { code: 'E_NOT_IN_ROLE', message: 'not here' } },
    ])
  })

  it('fails where nobody else is asked', async () => {
    expect(await ask({ local: true }).catch((error: unknown) => error)).to.have.property('code', 'E_NOT_IN_ROLE')
  })
})
