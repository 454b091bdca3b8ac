import { expect } from 'chai'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createOperations } from '../../../node/node-operations.ts'
import type { Parts } from '../../../node/parts.ts'
import { collect } from '../../helpers/collect.ts'
import { FAKE_PEER } from '../../helpers/fake-operations.ts'

describe('ping', () => {
  const pinged: string[] = []
  const services = { ping: { ping: async (peer: Multiaddr) => pinged.push(peer.toString()) } }
  const operations = createOperations({ network: { libp2p: { services } }, content: {} } as unknown as Parts)
  const ping = (target: string) => collect(operations.ping(target, 1, new AbortController().signal))

  it('takes a peer id or a multiaddr', async () => {
    for (const target of [FAKE_PEER, '/ip4/127.0.0.1/tcp/1']) await ping(target)
    expect(pinged).to.deep.equal([FAKE_PEER, '/ip4/127.0.0.1/tcp/1'])
  })

  for (const [target, code] of [
    ['/bogus', 'E_ADDRESS_INVALID'],
    ['bogus', 'E_PEER_ID_INVALID'],
  ] as const)
    it(`refuses ${target}: ${code}`, async () => {
      expect(await ping(target).catch((error: unknown) => error)).to.have.property('code', code)
    })
})
