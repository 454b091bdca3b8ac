import { expect } from 'chai'
import { defaultLogger } from '@libp2p/logger'
import { FollowPeers } from '../../../node/mesh/follow-peers.ts'
import { FOLLOW_OPTIONS, HEADS_AT_ONCE } from '../../../node/mesh/follow-types.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import type { Verdict } from '../../../protocols/shared/verdict.ts'
import { ScriptedPeers, type ScriptedPeer } from '../../helpers/scripted-peers.ts'

const { signal } = new AbortController()

describe('who a node asks for epochs', () => {
  let scripted: ScriptedPeers
  let known: ScriptedPeer[]
  let peers: FollowPeers
  let verdicts: Verdict[]
  const asked = async (): Promise<number[]> =>
    (await peers.ask(signal)).map(({ height }) => height).sort((a, b) => a - b)

  beforeEach(async () => {
    scripted = new ScriptedPeers()
    known = await Promise.all([10, 20, 30].map((height) => scripted.add(height)))
    verdicts = []
    const init = {
      client: scripted,
      peers: () => known.map(({ peer }) => peer),
      judge: (_peer: unknown, verdict: Verdict) => void verdicts.push(verdict),
      log: defaultLogger().forComponent('follow'),
    }
    peers = new FollowPeers(init, { ...FOLLOW_OPTIONS, moreHeadsMs: 1_000 })
  })

  it('are all that are there, up to a number', async () => {
    expect(await asked()).to.deep.equal([10, 20, 30])
    expect(peers.best).to.equal(30)
    for (let i = 0; i < 2 * HEADS_AT_ONCE; i++) known.push(await scripted.add(5))
    expect(await asked()).to.have.length(HEADS_AT_ONCE)
  })

  it('are not those that lied or failed lately; what these said does not count', async () => {
    await asked()
    peers.lied(known[2]!.peer, 'E_EPOCH_FORGED')
    expect(await asked()).to.deep.equal([10, 20])
    expect(peers.best).to.equal(20)
    peers.failed(known[1]!.peer, new CodedError('E_TIMEOUT', 'nothing came'))
    expect(await asked()).to.deep.equal([10])
    peers.helped(known[1]!.peer)
    expect(await asked()).to.deep.equal([10, 20])
    expect(verdicts).to.deep.equal([
      { kind: 'reject', code: 'E_EPOCH_FORGED' },
      { kind: 'ignore', code: 'E_TIMEOUT' },
    ])
  })

  it('is rather one that failed than nobody: the one that may be asked again first', async () => {
    const timeout = new CodedError('E_TIMEOUT', 'nothing came')
    for (const { peer } of known) peers.failed(peer, timeout)
    for (const { peer } of known.slice(1)) peers.failed(peer, timeout)
    expect(await asked()).to.deep.equal([10])
  })

  it('breaks the rules when it gives garbage, breaks the protocol, or has less than it says', () => {
    for (const code of ['E_FRAME_MALFORMED', 'E_SYNC_PROTOCOL', 'E_SYNC_SHORT', 'E_STREAM_CLOSED', 'E_SYNC_BUSY'])
      peers.failed(known[0]!.peer, new CodedError(code, 'it did'))
    expect(verdicts.map(({ kind }) => kind)).to.deep.equal(['reject', 'reject', 'reject', 'ignore', 'ignore'])
  })

  it('is forgotten when it is gone', async () => {
    await asked()
    known.pop()
    await asked()
    expect(peers.best).to.equal(20)
  })
})
