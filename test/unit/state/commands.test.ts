import { expect } from 'chai'
import {
  certificateOf,
  certificates,
  configurationChanges,
  labelsOf,
  MAX_MEMBERS,
  memberByRaftId,
  memberOf,
  members,
  names,
  nextRaftId,
  peerNamed,
  REDEMPTION_GRACE_MS,
  revocationOf,
  revocations,
  size,
} from '../../../consensus/state/index.ts'
import { bytes, peer, Replica } from './cell.ts'

const A = peer('A')
const B = peer('B')
const C = peer('C')
const join = (peerId: string, incarnation = 1) =>
  ({ type: 'member-join', peerId, incarnation: bytes(incarnation) }) as const
const leave = (peerId: string) => ({ type: 'member-remove', peerId, reason: 'left' }) as const
const revoke = (peerId: string) => ({ type: 'certificate-revoke', peerId, by: A, reason: 'stolen' }) as const

describe('members of a cell', () => {
  const founded = () => {
    const replica = new Replica()
    expect(replica.run(join(A))).to.deep.equal({ ok: true, raftId: 1 })
    return replica
  }

  it('begin with the founder, who votes', () => {
    const replica = founded()
    expect(memberOf(replica.tree, A)).to.deep.include({ id: 1, status: 'voter', since: 1000 })
    expect(configurationChanges(replica.tree)).to.deep.equal([])
  })

  it('get ids that are counted up: the same incarnation the same, another one a new, none twice', () => {
    const replica = founded()
    expect(replica.run(join(B))).to.deep.equal({ ok: true, raftId: 2 })
    expect(replica.run(join(B))).to.deep.equal({ ok: true, raftId: 2 })
    expect(replica.run(join(B, 2))).to.deep.equal({ ok: true, raftId: 3 })
    expect(memberByRaftId(replica.tree, 2)).to.equal(undefined)
    expect(memberByRaftId(replica.tree, 3)?.peerId).to.equal(B)
    replica.run(leave(B))
    expect(replica.run(join(B, 3))).to.deep.equal({ ok: true, raftId: 4 })
    expect(nextRaftId(replica.tree)).to.equal(5)
  })

  it('learn, are promoted, and go, as the configuration is brought after them', () => {
    const replica = founded()
    replica.run(join(B))
    expect(configurationChanges(replica.tree)).to.deep.equal([{ kind: 'learner', id: 2 }])
    replica.configure({ voters: [1], learners: [2] })
    expect(configurationChanges(replica.tree)).to.deep.equal([])
    replica.run({ type: 'member-promoted', raftId: 2 })
    expect(configurationChanges(replica.tree)).to.deep.equal([{ kind: 'voter', id: 2 }])
    replica.configure({ voters: [1, 2], votersOutgoing: [1] })
    expect(configurationChanges(replica.tree)).to.deep.equal([])
    replica.configure({ voters: [1, 2] })
    replica.run(join(B, 2))
    expect(configurationChanges(replica.tree)).to.deep.equal([
      { kind: 'learner', id: 3 },
      { kind: 'remove', id: 2 },
    ])
    replica.run(leave(B))
    expect(configurationChanges(replica.tree)).to.deep.equal([{ kind: 'remove', id: 2 }])
  })

  it('that were removed stay known with the reason, and never return as the same incarnation', () => {
    const replica = founded()
    replica.run(join(B))
    expect(replica.run(leave(B), 2000)).to.deep.equal({ ok: true, raftId: 2 })
    expect(memberOf(replica.tree, B)).to.deep.include({ status: 'removed', reason: 'left', since: 2000 })
    expect(replica.run(leave(B))).to.deep.equal({ ok: true, raftId: 2 })
    expect(replica.run(join(B))).to.deep.equal({ ok: false, code: 'E_MEMBER_REMOVED' })
    expect(replica.run({ type: 'member-promoted', raftId: 2 })).to.deep.equal({ ok: false, code: 'E_MEMBER_UNKNOWN' })
    expect(replica.run(leave(C))).to.deep.equal({ ok: false, code: 'E_MEMBER_UNKNOWN' })
  })

  it('never lose their last voter', () => {
    const replica = founded()
    replica.run(join(B))
    for (const body of [leave(A), join(A, 2), revoke(A)])
      expect(replica.run(body)).to.deep.equal({ ok: false, code: 'E_MEMBER_LAST' })
    replica.run({ type: 'member-promoted', raftId: 2 })
    expect(replica.run(leave(A))).to.deep.equal({ ok: true, raftId: 1 })
  })

  it(`are ${MAX_MEMBERS} at most`, () => {
    const replica = founded()
    const many = Array.from({ length: MAX_MEMBERS }, (_, at) => peer(`M${'abcdefgh'[at >> 3]}${'abcdefgh'[at & 7]}`))
    const results = many.map((peerId) => replica.run(join(peerId)))
    expect(results.at(-2)).to.deep.equal({ ok: true, raftId: MAX_MEMBERS })
    expect(results.at(-1)).to.deep.equal({ ok: false, code: 'E_CELL_FULL' })
    expect(replica.run(join(many[0]!, 2))).to.deep.equal({ ok: true, raftId: MAX_MEMBERS + 1 })
  })

  it('are read page by page', () => {
    const replica = founded()
    for (const peerId of [C, B]) replica.run(join(peerId))
    const page = [...members(replica.tree, A)].map(({ peerId }) => peerId)
    expect(page).to.deep.equal([B, C])
  })
})

describe('certificates of a cell', () => {
  const ticket = { nonce: bytes(9), uses: 1, expires: 10_000 }
  const issue = (subject: string, certificate: number, uses = ticket.uses) =>
    ({
      type: 'certificate-issue',
      ticket: { ...ticket, uses },
      subject,
      issuer: A,
      certificate: bytes(certificate, 99),
    }) as const

  it('a ticket spent twice by two keys at two nodes gives one certificate', () => {
    const replica = new Replica()
    expect(replica.run(issue(B, 1))).to.deep.equal({ ok: true, certificate: bytes(1, 99) })
    expect(replica.run(issue(C, 2))).to.deep.equal({ ok: false, code: 'E_TICKET_USED' })
    expect([...certificates(replica.tree)].map(({ subject }) => subject)).to.deep.equal([B])
  })

  it('redeemed again by the same key is the same certificate, even after the end of the ticket', () => {
    const replica = new Replica()
    replica.run(issue(B, 1))
    expect(replica.run(issue(B, 2))).to.deep.equal({ ok: true, certificate: bytes(1, 99) })
    expect(replica.run(issue(B, 3), 20_000)).to.deep.equal({ ok: true, certificate: bytes(1, 99) })
    expect(certificateOf(replica.tree, B)).to.deep.equal({ certificate: bytes(1, 99), issuer: A, issued: 1000 })
  })

  it('as many as a ticket has uses, and none after its end by the time of the state', () => {
    const replica = new Replica()
    expect(replica.run(issue(A, 1, 2))?.ok).to.equal(true)
    expect(replica.run(issue(B, 1, 2))?.ok).to.equal(true)
    expect(replica.run(issue(C, 1, 2))).to.deep.equal({ ok: false, code: 'E_TICKET_USED' })
    replica.run({ type: 'noop' }, 10_000)
    const late = { ...issue(C, 1), ticket: { ...ticket, nonce: bytes(8) } }
    expect(replica.run(late, 1)).to.deep.equal({ ok: false, code: 'E_TICKET_EXPIRED' })
  })

  it('a redemption is forgotten after its grace, and the ticket stays void', () => {
    const replica = new Replica()
    replica.run(issue(B, 1))
    const before = size(replica.tree)
    expect(replica.run(issue(B, 2), 10_000 + REDEMPTION_GRACE_MS)).to.deep.equal({
      ok: false,
      code: 'E_TICKET_EXPIRED',
    })
    // Three records of the ticket are gone, and the result of this command has come.
    expect(size(replica.tree)).to.equal(before - 2)
  })

  it('are not given to a revoked key, nor by one, and revocation takes its vote, its certificate and its name', () => {
    const replica = new Replica()
    for (const peerId of [A, B]) replica.run(join(peerId))
    replica.run(issue(B, 1))
    replica.run({ type: 'name-set', name: 'bob', peerId: B })
    expect(replica.run(revoke(B), 3000)).to.deep.equal({ ok: true })
    expect(replica.run(revoke(B), 4000)).to.deep.equal({ ok: true })
    expect(revocationOf(replica.tree, B)).to.deep.equal({ by: A, reason: 'stolen', time: 3000 })
    expect([...revocations(replica.tree)]).to.have.length(1)
    expect(certificateOf(replica.tree, B)).to.equal(undefined)
    expect(memberOf(replica.tree, B)).to.deep.include({ status: 'removed', reason: 'stolen' })
    expect(peerNamed(replica.tree, 'bob')).to.equal(undefined)
    for (const body of [
      issue(B, 1),
      { ...issue(C, 1), issuer: B },
      join(B, 2),
      { type: 'name-set', name: 'x', peerId: B },
    ] as const)
      expect(replica.run(body)).to.deep.equal({ ok: false, code: 'E_CERT_REVOKED' })
  })
})

describe('names and labels of a cell', () => {
  it('one name for each peer, one peer for each name, whatever its letters', () => {
    const replica = new Replica()
    const name = (name: string, peerId: string) => replica.run({ type: 'name-set', name, peerId })
    expect(name('Zoë / 春', A)).to.deep.equal({ ok: true })
    expect(name('Zoë / 春', A)).to.deep.equal({ ok: true })
    expect(name('Zoë / 春', B)).to.deep.equal({ ok: false, code: 'E_NAME_TAKEN' })
    expect(name('a', A)).to.deep.equal({ ok: true })
    expect(name('Zoë / 春', B)).to.deep.equal({ ok: true })
    expect([...names(replica.tree)]).to.deep.equal([
      { peerId: A, name: 'a' },
      { peerId: B, name: 'Zoë / 春' },
    ])
    expect(name('春'.repeat(64), C)).to.deep.equal({ ok: true })
  })

  it('labels are set, replaced and taken away', () => {
    const replica = new Replica()
    const label = (key: string, value: string | null) => replica.run({ type: 'label-set', peerId: A, key, value })
    for (const [key, value] of [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
      ['c', '4'],
      ['c', null],
      ['d', null],
    ] as const)
      expect(label(key, value)).to.deep.equal({ ok: true })
    expect([...labelsOf(replica.tree, A)]).to.deep.equal([
      { key: 'a', value: '2' },
      { key: 'b', value: '3' },
    ])
    expect([...labelsOf(replica.tree, A, 'a')]).to.deep.equal([{ key: 'b', value: '3' }])
    expect([...labelsOf(replica.tree, B)]).to.deep.equal([])
  })
})
