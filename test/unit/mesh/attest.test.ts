import { expect } from 'chai'
import { signedAttestationCodec } from '../../../consensus/epoch/attestation-codec.ts'
import { root } from '../../../consensus/state/index.ts'
import { MAX_SILENCE, PATIENCE } from '../../../node/mesh/attest-asking.ts'
import { AttestingCell, CELL, inOrder, person, settled, type Member, type Report } from './attesting-cell.ts'

const keysOf = (members: readonly Member[]) => inOrder(members.map(({ person }) => person.raw))
const attests = (cell: AttestingCell) => cell.log.filter(([body]) => 'type' in body && body.type === 'epoch-attest')

describe('mesh: what a cell says of itself', () => {
  let cell: AttestingCell
  afterEach(() => cell.stop())

  const says = (member: Member, t: readonly [number, number], at = cell.state.height): Report => ({
    author: member.person.raw,
    epoch: at,
    t,
  })

  it('a cell of one signs alone: members, validators, and the root of just the entry that says so', async () => {
    cell = await AttestingCell.of(1)
    await cell.next()
    const [attestation] = cell.members[0]!.attestations
    const { tree, index } = cell.members[0]!.replica.state.attested!
    const keys = keysOf(cell.members)
    expect(attestation).to.deep.equal({
      mesh: cell.state.mesh,
      cell: CELL,
      epoch: 1,
      index,
      root: root(tree).bytes,
      t: null,
      members: keys,
      validators: keys,
      revoked: [],
    })
    await cell.next()
    expect(cell.operator.attested).to.deep.include({ epoch: 1, index })
  })

  it('T_cell is the floor of the mean of what its members reported of the epoch before, each once', async () => {
    cell = await AttestingCell.of(3)
    const [a, b, c] = cell.members as [Member, Member, Member]
    const stranger = { ...says(a, [900, 900]), author: cell.state.operators[1]!.members[0]! }
    await cell.next([says(a, [5, -5]), says(b, [6, -6]), stranger, says(c, [100, 100], 7)])
    expect(a.attestations.at(-1)?.t).to.deep.equal([5, -6])
    await cell.next([says(a, [5, 5]), says(b, [6, 6]), says(b, [7, 7]), says(c, [8, 8])])
    expect(a.attestations.at(-1)?.t, 'who says two things has said nothing').to.deep.equal([6, 6])
    await cell.next()
    expect(a.attestations.at(-1)?.t).to.equal(null)
  })

  it('needs a majority of the recorded members, and is the same bytes on each', async () => {
    cell = await AttestingCell.of(3)
    cell.onShare = () => undefined
    await cell.next()
    expect(cell.members.flatMap(({ submitted }) => submitted)).to.deep.equal([])
    cell.onShare = (from, bytes) => (from === cell.members[1] ? bytes : undefined)
    await cell.next()
    const bodies = cell.members.flatMap(({ submitted }) =>
      submitted.map((bytes) => signedAttestationCodec.decode(bytes)),
    )
    expect(bodies).not.to.have.length(0)
    for (const { s } of bodies) expect(s).to.have.length(2)
    await cell.next()
    expect(cell.operator.attested?.epoch).to.equal(1)
  })

  it('is said when there is something new, and else after sixty epochs', async () => {
    cell = await AttestingCell.of(3)
    for (let at = 0; at < 10; at++) await cell.next()
    expect(attests(cell)).to.have.length(1)
    await cell.next([says(cell.members[0]!, [1, 1])])
    expect(attests(cell)).to.have.length(2)
    await cell.next()
    expect(attests(cell), 'T_cell is none again').to.have.length(3)
    await cell.next([], { height: cell.state.height + 1 })
    const last = cell.operator.attested!.epoch
    while (cell.state.height < last + MAX_SILENCE - 1) await cell.next()
    expect(attests(cell)).to.have.length(3)
    await cell.next()
    expect(attests(cell)).to.have.length(4)
  })

  it('another T alone is not said more than about once in a second, however fast the epochs are', async () => {
    cell = await AttestingCell.of(3)
    await cell.next()
    const began = cell.state.time
    const before = attests(cell).length
    for (let at = 1; at <= 30; at++) await cell.next([says(cell.members[0]!, [at, at])], { time: began + at * 100 })
    expect(attests(cell).length - before).to.be.within(2, 4)
    expect(cell.operator.attested?.t?.[0]).to.be.greaterThan(15)
  })

  it('is said again while it is not in the record, but not with every epoch', async () => {
    cell = await AttestingCell.of(3)
    cell.onShare = () => undefined
    await cell.next()
    for (let at = 0; at < PATIENCE; at++) {
      expect(attests(cell)).to.have.length(1)
      await cell.next()
    }
    expect(attests(cell)).to.have.length(2)
  })

  it('who joins is named when it votes, and signs from when it is recorded', async () => {
    cell = await AttestingCell.of(1)
    await cell.next()
    await cell.next()
    const joined = await cell.join(await person())
    await settled()
    expect(cell.members[0]!.attestations.at(-1)?.members).to.deep.equal(keysOf(cell.members))
    for (const bytes of joined.submitted)
      expect(signedAttestationCodec.decode(bytes).s.map(([key]) => key)).to.deep.equal(keysOf(cell.members.slice(0, 1)))
    await cell.next()
    expect(cell.operator.members).to.deep.equal(keysOf(cell.members))
    await cell.join(await person())
    await settled()
    const signed = signedAttestationCodec.decode(cell.members[0]!.submitted.at(-1)!)
    expect(signed.s.map(([key]) => key)).to.deep.equal(keysOf(cell.members.slice(0, 2)))
    await cell.next()
    expect(cell.operator.members).to.have.length(3)
  })

  it('of its members those with the lowest raft ids are its validators, without those that voted twice', async () => {
    cell = await AttestingCell.of(4, 4, { maxValidators: 2 })
    await cell.next()
    await cell.next()
    expect(cell.operator.validators).to.deep.equal(keysOf(cell.members.slice(0, 2)))
    const [, liar] = cell.members
    await cell.next([], { out: [liar!.person.raw] })
    await cell.next()
    expect(cell.operator.members).not.to.deep.include(liar!.person.raw)
    expect(cell.operator.validators).to.deep.equal(keysOf([cell.members[0]!, cell.members[2]!]))
  })

  it('a founder that has not come to its cell yet stays recorded, until it is put out', async () => {
    cell = await AttestingCell.of(2)
    const late = await person()
    const members = inOrder([...cell.operator.members, late.raw])
    const operators = cell.state.operators.map((one) => (one.cell === CELL ? { ...one, members } : one))
    await cell.next([], { operators })
    await cell.next()
    expect(cell.operator.attested).not.to.equal(undefined)
    expect(cell.operator.members).to.deep.equal(members)
    const by = cell.members[0]!.person.peerId.toString()
    cell.commit({ type: 'certificate-revoke', peerId: late.peerId.toString(), by, reason: '' })
    await settled()
    await cell.next()
    expect(cell.operator.members).to.deep.equal(keysOf(cell.members))
  })

  it('a revocation is said at once, is in the next epoch, and is said once', async () => {
    cell = await AttestingCell.of(3)
    await cell.next()
    await cell.next()
    const [a, b, c] = cell.members as [Member, Member, Member]
    cell.remove(c)
    await settled()
    await cell.next()
    expect(cell.state.revoked.map(({ subject, cell }) => [subject, cell])).to.deep.equal([[c.person.raw, CELL]])
    expect(cell.operator.members).to.deep.equal(keysOf([a, b]))
    expect(cell.operator.validators).to.deep.equal(keysOf([a, b]))
    const submitted = a.submitted.length
    await cell.next([says(a, [1, 1])])
    await cell.next()
    expect(a.attestations.slice(submitted).flatMap(({ revoked }) => revoked)).to.deep.equal([])
  })

  it('more revocations than one attestation holds go one after the other, the earliest first', async () => {
    cell = await AttestingCell.of(1)
    const by = cell.members[0]!.person.peerId.toString()
    const people = await Promise.all(Array.from({ length: 70 }, person))
    for (const { peerId } of people)
      cell.commit({ type: 'certificate-revoke', peerId: peerId.toString(), by, reason: '' })
    await cell.next()
    await cell.next()
    const first = inOrder(people.slice(0, 64).map(({ raw }) => raw))
    expect(inOrder(cell.state.revoked.map(({ subject }) => subject))).to.deep.equal(first)
    for (let at = 0; at < 2; at++) await cell.next()
    expect(cell.state.revoked).to.have.length(70)
    const attested = attests(cell).length
    for (let at = 0; at < 4; at++) await cell.next()
    expect(attests(cell), 'nothing is left to say').to.have.length(attested)
  })

  it('a leader that goes after the entry was agreed is not missed, and the next says what it did not', async () => {
    cell = await AttestingCell.of(3)
    const [a, b, c] = cell.members as [Member, Member, Member]
    cell.isWithoutQuorum = true
    await cell.next([says(a, [3, 3])])
    expect(attests(cell)).to.have.length(0)
    cell.isWithoutQuorum = false
    cell.leader = b
    await cell.next([says(a, [4, 4])])
    await a.attester.stop()
    cell.leader = c
    await cell.next([says(a, [4, 4])])
    expect(cell.operator.attested).to.deep.include({ epoch: 2, t: [4, 4] })
    await cell.next([says(a, [5, 5])])
    await cell.next([says(a, [5, 5])])
    expect(cell.operator.attested?.t).to.deep.equal([5, 5])
  })

  it('a leader that has just begun says the T_cell that the one before it said of the epoch', async () => {
    cell = await AttestingCell.of(3)
    const [a, b, c] = cell.members as [Member, Member, Member]
    await cell.next([says(a, [3, 3])])
    cell.leader = b
    cell.remove(c)
    await settled()
    expect(b.attestations.at(-1)).to.deep.include({ epoch: 1, t: [3, 3], members: keysOf([a, b]) })
  })

  it('a member whose cell or mesh lags says the same as soon as it has both', async () => {
    cell = await AttestingCell.of(3)
    const [a, b, c] = cell.members as [Member, Member, Member]
    c.holdsLog = true
    b.holdsEpochs = true
    await cell.next([says(a, [3, 3])])
    expect(cell.members.map(({ submitted }) => submitted.length)).to.deep.equal([0, 0, 0])
    b.holdsEpochs = false
    c.holdsLog = false
    for (const member of [b, c]) member.follow()
    await settled()
    expect(a.attestations).to.deep.equal(b.attestations)
    expect(c.attestations.at(-1)).to.deep.equal(a.attestations.at(-1))
    expect([...b.warnings, ...c.warnings]).to.deep.equal([])
  })
})
