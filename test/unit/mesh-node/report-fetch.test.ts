import { expect } from 'chai'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import type { Named } from '../../../consensus/epoch/reports.ts'
import { peerOf } from '../../../node/mesh/named.ts'
import { ReportFetch } from '../../../node/mesh/report-fetch.ts'
import { until } from '../../helpers/libp2p-pair.ts'
import { bytes } from './mesh-directory.ts'

describe('reports that a block must carry', () => {
  let keys: Uint8Array[]
  let held: Set<string>
  let asked: { peer: string; digests: string[] }[]
  let away: Set<string>
  let fetch: ReportFetch
  const text = (digest: Uint8Array) => Buffer.from(digest).toString()
  const names = (...digests: string[]): Named[] =>
    digests.map((digest) => ({
      reporter: { key: keys[0]!, cell: 'one' },
      digest: bytes(digest),
      holders: keys,
    }))

  before(async () => {
    keys = await Promise.all([0, 1, 2].map(async () => (await generateKeyPair('Ed25519')).publicKey.raw))
  })
  beforeEach(() => {
    ;[held, asked, away] = [new Set(), [], new Set()]
    fetch = new ReportFetch({
      reports: () => ({ missing: (named) => named.filter(({ digest }) => !held.has(text(digest))) }),
      request: (_epoch, digests, [peer]) => asked.push({ peer: String(peer), digests: digests.map(text) }),
      isConnected: (peer: PeerId) => !away.has(peer.toString()),
    })
  })

  it('are asked of one who names them, all that are missing at once, until they are here', async () => {
    held.add('b')
    const done = fetch.fetch(7, names('a', 'b', 'c'), new AbortController().signal)
    await until(() => asked.length === 1)
    expect(asked[0]!.digests).to.deep.equal(['a', 'c'])
    held.add('a').add('c')
    fetch.arrived()
    expect(await done).to.deep.equal([])
    expect(asked).to.have.lengthOf(1)
  })

  it('are asked of the next when one does not bring them, and of nobody who is not connected', async () => {
    away.add(peerOf(keys[0]!).toString())
    const done = fetch.fetch(7, names('a'), new AbortController().signal)
    await until(() => asked.length === 3)
    held.add('a')
    fetch.arrived()
    await done
    const [one, two] = [keys[1]!, keys[2]!].map((key) => peerOf(key).toString())
    expect(asked.map(({ peer }) => peer)).to.deep.equal([one, two, one])
  })

  it('are given up when the round is over', async () => {
    const round = new AbortController()
    const done = fetch.fetch(7, names('a'), round.signal)
    await until(() => asked.length === 1)
    round.abort()
    expect(await done).to.deep.equal([])
  })
})
