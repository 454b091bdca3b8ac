import { expect } from 'chai'
import { createOperations } from '../../../node/node-operations.ts'
import { answer } from '../../../node/query-service.ts'
import type { QueryTarget } from '../../../node/operations.ts'
import type { Parts } from '../../../node/parts.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { collect } from '../../helpers/collect.ts'
import { FAKE_PEER, fakeOperations } from '../../helpers/fake-operations.ts'

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

describe('a query for epochs', () => {
  const asked = async (params: Record<string, string | number | boolean | null>) => {
    const operations = fakeOperations()
    const { signal } = new AbortController()
    await collect(answer(operations, { what: 'epochs', params, signal }))
    return operations.calls
  }

  it('is for the newest one unless told', async () => {
    expect(await asked({})).to.deep.equal(['mesh.epochs - 1'])
    expect(await asked({ from: 7, limit: 10 })).to.deep.equal(['mesh.epochs 7 10'])
  })

  it('is brought into bounds, whatever a peer sends', async () => {
    for (const limit of [101, 1e9, Number.MAX_VALUE])
      expect(await asked({ limit })).to.deep.equal(['mesh.epochs - 100'])
    for (const limit of [0, -5, 'many', null, Number.NaN])
      expect(await asked({ limit })).to.deep.equal(['mesh.epochs - 1'])
    for (const from of [0, -5, 'x', null]) expect(await asked({ from })).to.deep.equal(['mesh.epochs 1 1'])
    expect(await asked({ from: 2.9, limit: 3.7 })).to.deep.equal(['mesh.epochs 2 3'])
  })
})
