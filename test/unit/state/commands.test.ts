import { expect } from 'chai'
import {
  certificateOf,
  entries,
  labelsOf,
  MAX_LABELS,
  MAX_MEMBERS,
  memberByRaftId,
  memberOf,
  REDEMPTION_GRACE_MS,
  revocationOf,
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
const ticket = { issuer: A, nonce: bytes(9), uses: 1, expires: 10_000 }
const issue = (subject: string, certificate: number, { uses = ticket.uses, name = `name of ${subject}` } = {}) =>
  ({
    type: 'certificate-issue',
    ticket: { ...ticket, uses },
    subject,
    issuer: A,
    certificate: bytes(certificate, 99),
    name,
  }) as const
let tickets = 100
/** By a ticket that nobody had before. */
const named = (name: string, subject: string) => ({
  ...issue(subject, 1, { name }),
  ticket: { ...ticket, nonce: bytes(++tickets) },
})
const keysOf = ({ tree }: Replica, prefix: string) => [...entries(tree, { prefix })].map(([key]) => key)

describe('members of a cell', () => {
  const founded = () => {
    const replica = new Replica()
    expect(replica.run(join(A))).to.deep.equal({ ok: true, raftId: 1 })
    return replica
  }

  it('that are leaving stay what they are; who is none cannot leave', () => {
    const replica = founded()
    const leaving = (peerId: string) => ({ type: 'member-leaving', peerId, until: 70 }) as const
    expect(replica.run(leaving(A))).to.deep.equal({ ok: true })
    expect(memberOf(replica.tree, A)).to.deep.include({ id: 1, status: 'voter', leaving: 70 })
    expect(replica.run(leaving(B))).to.deep.equal({ ok: false, code: 'E_MEMBER_UNKNOWN' })
  })

  it('begin with the founder, who votes', () => {
    const replica = founded()
    expect(memberOf(replica.tree, A)).to.deep.include({ id: 1, status: 'voter', since: 1000 })
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
  })

  it('join as learners and are promoted to voters', () => {
    const replica = founded()
    replica.run(join(B))
    const early = replica.run({ type: 'member-promoted', raftId: 2 })
    expect(early, 'the configuration decides').to.deep.equal({ ok: false, code: 'E_MEMBER_JOINING' })
    expect(memberOf(replica.tree, B)?.status).to.equal('joining')
    replica.configure({ voters: [1, 2] })
    expect(replica.run({ type: 'member-promoted', raftId: 2 })).to.deep.equal({ ok: true, raftId: 2 })
    expect(memberOf(replica.tree, B)?.status).to.equal('voter')
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
    replica.configure({ voters: [1, 2] })
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
})

describe('certificates of a cell', () => {
  it('a ticket spent twice by two keys at two nodes gives one certificate', () => {
    const replica = new Replica()
    expect(replica.run(issue(B, 1))).to.deep.equal({ ok: true, certificate: bytes(1, 99) })
    expect(replica.run(issue(C, 2))).to.deep.equal({ ok: false, code: 'E_TICKET_USED' })
    expect(keysOf(replica, 'cert/')).to.deep.equal([`cert/${B}`])
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
    expect(replica.run(issue(A, 1, { uses: 2 }))?.ok).to.equal(true)
    expect(replica.run(issue(B, 1, { uses: 2 }))?.ok).to.equal(true)
    expect(replica.run(issue(C, 1, { uses: 2 }))).to.deep.equal({ ok: false, code: 'E_TICKET_USED' })
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
    replica.run(issue(B, 1, { name: 'bob' }))
    expect(replica.run(revoke(B), 3000)).to.deep.equal({ ok: true })
    expect(replica.run(revoke(B), 4000)).to.deep.equal({ ok: true })
    expect(revocationOf(replica.tree, B)).to.deep.equal({ by: A, reason: 'stolen', time: 3000 })
    expect(keysOf(replica, 'revoked/')).to.have.length(1)
    expect(certificateOf(replica.tree, B)).to.equal(undefined)
    expect(memberOf(replica.tree, B)).to.deep.include({ status: 'removed', reason: 'stolen' })
    expect([...keysOf(replica, 'name/'), ...keysOf(replica, 'named/')]).to.deep.equal([])
    for (const body of [issue(B, 1), { ...issue(C, 1), issuer: B }, join(B, 2)])
      expect(replica.run(body)).to.deep.equal({ ok: false, code: 'E_CERT_REVOKED' })
  })

  it('are not given for tickets of a revoked key, but who had one of them gets it again', () => {
    const replica = new Replica()
    for (const peerId of [A, B]) replica.run(join(peerId))
    const byB = { ...ticket, issuer: B, uses: 2 }
    expect(replica.run({ ...issue(C, 1), ticket: byB })).to.deep.equal({ ok: true, certificate: bytes(1, 99) })
    replica.run(revoke(B))
    expect(replica.run({ ...issue(A, 2), ticket: byB })).to.deep.equal({ ok: false, code: 'E_TICKET_RIGHTS' })
    expect(replica.run({ ...issue(C, 2), ticket: byB })).to.deep.equal({ ok: true, certificate: bytes(1, 99) })
  })
})

describe('names of a cell', () => {
  it('one name for each peer, one peer for each name, whatever its letters', () => {
    const replica = new Replica()
    expect(replica.run(named('Zoë / 春', A))?.ok).to.equal(true)
    expect(replica.run(named('Zoë / 春', A))?.ok).to.equal(true)
    expect(replica.run(named('Zoë / 春', B))).to.deep.equal({ ok: false, code: 'E_NAME_TAKEN' })
    expect(replica.run(named('a', A))?.ok).to.equal(true)
    expect(replica.run(named('Zoë / 春', B))?.ok).to.equal(true)
    expect(keysOf(replica, 'name/')).to.deep.equal(['name/Zo%C3%AB%20%2F%20%E6%98%A5', 'name/a'])
    expect(keysOf(replica, 'named/')).to.deep.equal([`named/${A}`, `named/${B}`])
    expect(replica.run(named('春'.repeat(64), C))?.ok).to.equal(true)
  })

  it('a ticket that is spent or over takes no name, and a name that is taken spends no ticket', () => {
    const replica = new Replica()
    replica.run(issue(A, 1, { name: 'a' }))
    expect(replica.run(issue(B, 2, { name: 'b' }))).to.deep.equal({ ok: false, code: 'E_TICKET_USED' })
    expect(keysOf(replica, 'name/')).to.deep.equal(['name/a'])
    const fresh = { ...ticket, nonce: bytes(8) }
    const taken = { ...issue(B, 2, { name: 'a' }), ticket: fresh }
    expect(replica.run(taken)).to.deep.equal({ ok: false, code: 'E_NAME_TAKEN' })
    expect(certificateOf(replica.tree, B)).to.equal(undefined)
    expect(replica.run({ ...taken, subject: C, name: 'c' })?.ok).to.equal(true)
  })

  it('redeemed again under another name is the certificate, and the name, of then', () => {
    const replica = new Replica()
    replica.run(issue(A, 1, { name: 'a' }))
    expect(replica.run(issue(A, 2, { name: 'z' }))).to.deep.equal({ ok: true, certificate: bytes(1, 99) })
    expect(keysOf(replica, 'name/')).to.deep.equal(['name/a'])
  })
})

describe('labels of a cell', () => {
  const labelled = (replica: Replica, key: string, value: string | null, peerId = A) =>
    replica.run({ type: 'label-set', peerId, key, value })
  const founded = () => {
    const replica = new Replica()
    for (const peerId of [A, B]) replica.run(join(peerId))
    return replica
  }

  it('are set, replaced and taken away', () => {
    const replica = founded()
    for (const [key, value] of [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
      ['c', '4'],
      ['c', null],
      ['d', null],
    ] as const)
      expect(labelled(replica, key, value)).to.deep.equal({ ok: true })
    expect([...labelsOf(replica.tree, A)]).to.deep.equal([
      { key: 'a', value: '2' },
      { key: 'b', value: '3' },
    ])
    expect([...labelsOf(replica.tree, B)]).to.deep.equal([])
  })

  it('are of members: of nobody else, and of nobody who was removed or revoked', () => {
    const replica = founded()
    replica.run(join(C))
    for (const peerId of [B, C]) labelled(replica, 'k', 'v', peerId)
    expect(labelled(replica, 'k', 'v', peer('D'))).to.deep.equal({ ok: false, code: 'E_MEMBER_UNKNOWN' })
    replica.run(leave(B))
    replica.run(revoke(C))
    expect(keysOf(replica, 'label/')).to.deep.equal([])
    for (const peerId of [B, C])
      expect(labelled(replica, 'k', 'v', peerId)).to.deep.equal({ ok: false, code: 'E_MEMBER_UNKNOWN' })
  })

  it(`are ${MAX_LABELS} at most of one member; those that it has can be replaced, and one gone makes room`, () => {
    const replica = founded()
    for (let at = 0; at < MAX_LABELS; at++) expect(labelled(replica, `k${at}`, 'v')?.ok).to.equal(true)
    expect(labelled(replica, 'more', 'v')).to.deep.equal({ ok: false, code: 'E_LABELS_FULL' })
    expect(labelled(replica, 'k1', 'w')?.ok).to.equal(true)
    expect(labelled(replica, 'k1', 'v', B)?.ok).to.equal(true)
    expect(labelled(replica, 'k2', null)?.ok).to.equal(true)
    expect(labelled(replica, 'more', 'v')?.ok).to.equal(true)
    expect([...labelsOf(replica.tree, A)]).to.have.length(MAX_LABELS)
  })
})
