import { expect } from 'chai'
import { createRaftTransport } from '../../protocols/raft/index.ts'
import { until } from '../helpers/libp2p-pair.ts'
import { numbered, numberOf, RaftMembers, type RaftMember } from '../helpers/raft-members.ts'

describe('/kairos/raft/1.0.0: messages', () => {
  let members: RaftMembers
  const at = (id: number): RaftMember => members.at(id)
  const startCell = async (size: number): Promise<void> => {
    members = new RaftMembers()
    await members.start(size)
  }
  afterEach(() => members.stop())

  it('that offer a snapshot wait for its blocks, while others of the same sender go on', async () => {
    await startCell(2)
    const fetch = Promise.withResolvers<void>()
    at(2).init.beforeSnapshot = async () => {}
    await at(2).transport.stop()
    at(2).transport = createRaftTransport({ ...at(2).init, beforeSnapshot: () => fetch.promise })
    await at(2).transport.start()
    const configuration = { voters: [1, 2], learners: [], votersOutgoing: [], learnersNext: [] }
    at(1).transport.send(2, numbered(1), { index: 10, term: 1, configuration, root: new Uint8Array(36) })
    at(1).transport.send(2, numbered(2), undefined)
    await until(() => at(2).received.length === 1)
    expect(at(2).received.map(numberOf)).to.deep.equal([2])
    expect(at(1).events).to.deep.equal([])
    fetch.resolve()
    await until(() => at(1).events.length > 0)
    expect(at(2).received.map(numberOf)).to.deep.equal([2, 1])
    expect(at(2).received[1]?.snapshot).to.deep.include({ index: 10, configuration })
    // The follower's word came back over a link of its own, to an id that it learned.
    expect(at(1).events).to.deep.equal(['snapshot 2 true'])
  })

  it('that offer a snapshot which cannot be sent are reported as not taken', async () => {
    await startCell(2)
    await at(2).transport.stop()
    await at(2).libp2p.stop()
    const configuration = { voters: [1, 2], learners: [], votersOutgoing: [], learnersNext: [] }
    at(1).transport.send(2, numbered(1), { index: 10, term: 1, configuration, root: new Uint8Array(36) })
    await until(() => at(1).events.length === 2)
    expect(at(1).events).to.have.members(['unreachable 2', 'snapshot 2 false'])
  })
})
