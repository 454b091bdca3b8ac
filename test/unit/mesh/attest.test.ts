import { setImmediate as turn } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { attestationCodec, signedAttestationCodec } from '../../../consensus/epoch/attestation-codec.ts'
import { DOMAIN } from '../../../consensus/epoch/signed-bytes.ts'
import { root } from '../../../consensus/state/index.ts'
import { MAX_SILENCE, PATIENCE } from '../../../node/mesh/attest-asking.ts'
import { LEAVING_EPOCHS } from '../../../node/mesh/attest-release.ts'
import { peerIdFromKey } from '../../../protocols/admission/index.ts'
import { sign } from '../../../protocols/shared/signature.ts'
import { AttestingCell, CELL, inOrder, person, type Member, type Report } from './attesting-cell.ts'

/** Signing is asynchronous, and nothing else here is. */
const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 20; turns++) await turn()
}
const keysOf = (members: readonly Member[]) => inOrder(members.map(({ person }) => person.raw))
const attests = (cell: AttestingCell) => cell.log.filter(([body]) => 'type' in body && body.type === 'epoch-attest')

describe('mesh: what a cell says of itself', () => {
  let cell: AttestingCell
  afterEach(() => cell.stop())

  async function epoch(...given: Parameters<AttestingCell['epoch']>): Promise<void> {
    cell.epoch(...given)
    await settled()
  }
  const says = (member: Member, t: readonly [number, number], at = cell.state.height): Report => ({
    author: member.person.raw,
    epoch: at,
    t,
  })
  const remove = (member: Member): void => {
    const peerId = member.person.peerId.toString()
    cell.commit({ type: 'member-remove', peerId, reason: '' })
    cell.commit({ type: 'certificate-revoke', peerId, by: cell.members[0]!.person.peerId.toString(), reason: '' })
  }

  it('a cell of one signs alone: members, validators, and the root of just the entry that says so', async () => {
    cell = await AttestingCell.of(1)
    await epoch()
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
    await epoch()
    expect(cell.operator.attested).to.deep.include({ epoch: 1, index })
  })

  it('T_cell is the floor of the mean of what its members reported of the epoch before, each once', async () => {
    cell = await AttestingCell.of(3)
    const [a, b, c] = cell.members as [Member, Member, Member]
    const stranger = { ...says(a, [900, 900]), author: cell.state.operators[1]!.members[0]! }
    await epoch([says(a, [5, -5]), says(b, [6, -6]), stranger, says(c, [100, 100], 7)])
    expect(a.attestations.at(-1)?.t).to.deep.equal([5, -6])
    await epoch([says(a, [5, 5]), says(b, [6, 6]), says(b, [7, 7]), says(c, [8, 8])])
    expect(a.attestations.at(-1)?.t, 'who says two things has said nothing').to.deep.equal([6, 6])
    await epoch()
    expect(a.attestations.at(-1)?.t).to.equal(null)
  })

  it('needs a majority of the recorded members, and is the same bytes on each', async () => {
    cell = await AttestingCell.of(3)
    cell.onShare = () => undefined
    await epoch()
    expect(cell.members.flatMap(({ submitted }) => submitted)).to.deep.equal([])
    cell.onShare = (from, bytes) => (from === cell.members[1] ? bytes : undefined)
    await epoch()
    const bodies = cell.members.flatMap(({ submitted }) =>
      submitted.map((bytes) => signedAttestationCodec.decode(bytes)),
    )
    expect(bodies).not.to.have.length(0)
    for (const { s } of bodies) expect(s).to.have.length(2)
    await epoch()
    expect(cell.operator.attested?.epoch).to.equal(1)
  })

  it('is said when there is something new, and else after sixty epochs', async () => {
    cell = await AttestingCell.of(3)
    for (let at = 0; at < 10; at++) await epoch()
    expect(attests(cell)).to.have.length(1)
    await epoch([says(cell.members[0]!, [1, 1])])
    expect(attests(cell)).to.have.length(2)
    await epoch()
    expect(attests(cell), 'T_cell is none again').to.have.length(3)
    await epoch([], { height: cell.state.height + 1 })
    const last = cell.operator.attested!.epoch
    while (cell.state.height < last + MAX_SILENCE - 1) await epoch()
    expect(attests(cell)).to.have.length(3)
    await epoch()
    expect(attests(cell)).to.have.length(4)
  })

  it('another T alone is not said more than about once in a second, however fast the epochs are', async () => {
    cell = await AttestingCell.of(3)
    await epoch()
    const began = cell.state.time
    const before = attests(cell).length
    for (let at = 1; at <= 30; at++) await epoch([says(cell.members[0]!, [at, at])], { time: began + at * 100 })
    expect(attests(cell).length - before).to.be.within(2, 4)
    expect(cell.operator.attested?.t?.[0]).to.be.greaterThan(15)
  })

  it('is said again while it is not in the record, but not with every epoch', async () => {
    cell = await AttestingCell.of(3)
    cell.onShare = () => undefined
    await epoch()
    for (let at = 0; at < PATIENCE; at++) {
      expect(attests(cell)).to.have.length(1)
      await epoch()
    }
    expect(attests(cell)).to.have.length(2)
  })

  it('who joins is named when it votes, and signs from when it is recorded', async () => {
    cell = await AttestingCell.of(1)
    await epoch()
    await epoch()
    const joined = await cell.join(await person())
    await settled()
    expect(cell.members[0]!.attestations.at(-1)?.members).to.deep.equal(keysOf(cell.members))
    for (const bytes of joined.submitted)
      expect(signedAttestationCodec.decode(bytes).s.map(([key]) => key)).to.deep.equal(keysOf(cell.members.slice(0, 1)))
    await epoch()
    expect(cell.operator.members).to.deep.equal(keysOf(cell.members))
    await cell.join(await person())
    await settled()
    const signed = signedAttestationCodec.decode(cell.members[0]!.submitted.at(-1)!)
    expect(signed.s.map(([key]) => key)).to.deep.equal(keysOf(cell.members.slice(0, 2)))
    await epoch()
    expect(cell.operator.members).to.have.length(3)
  })

  it('of its members those with the lowest raft ids are its validators, without those that voted twice', async () => {
    cell = await AttestingCell.of(4, 4, { maxValidators: 2 })
    await epoch()
    await epoch()
    expect(cell.operator.validators).to.deep.equal(keysOf(cell.members.slice(0, 2)))
    const [, liar] = cell.members
    await epoch([], { out: [liar!.person.raw] })
    await epoch()
    expect(cell.operator.members).not.to.deep.include(liar!.person.raw)
    expect(cell.operator.validators).to.deep.equal(keysOf([cell.members[0]!, cell.members[2]!]))
  })

  it('a founder that has not come to its cell yet stays recorded, until it is put out', async () => {
    cell = await AttestingCell.of(2)
    const late = await person()
    const members = inOrder([...cell.operator.members, late.raw])
    const operators = cell.state.operators.map((one) => (one.cell === CELL ? { ...one, members } : one))
    await epoch([], { operators })
    await epoch()
    expect(cell.operator.attested).not.to.equal(undefined)
    expect(cell.operator.members).to.deep.equal(members)
    const by = cell.members[0]!.person.peerId.toString()
    cell.commit({ type: 'certificate-revoke', peerId: late.peerId.toString(), by, reason: '' })
    await settled()
    await epoch()
    expect(cell.operator.members).to.deep.equal(keysOf(cell.members))
  })

  it('a revocation is said at once, is in the next epoch, and is said once', async () => {
    cell = await AttestingCell.of(3)
    await epoch()
    await epoch()
    const [a, b, c] = cell.members as [Member, Member, Member]
    remove(c)
    await settled()
    await epoch()
    expect(cell.state.revoked.map(({ subject, cell }) => [subject, cell])).to.deep.equal([[c.person.raw, CELL]])
    expect(cell.operator.members).to.deep.equal(keysOf([a, b]))
    expect(cell.operator.validators).to.deep.equal(keysOf([a, b]))
    const submitted = a.submitted.length
    await epoch([says(a, [1, 1])])
    await epoch()
    expect(a.attestations.slice(submitted).flatMap(({ revoked }) => revoked)).to.deep.equal([])
  })

  it('more revocations than one attestation holds go one after the other, the earliest first', async () => {
    cell = await AttestingCell.of(1)
    const by = cell.members[0]!.person.peerId.toString()
    const people = await Promise.all(Array.from({ length: 70 }, person))
    for (const { peerId } of people)
      cell.commit({ type: 'certificate-revoke', peerId: peerId.toString(), by, reason: '' })
    await epoch()
    await epoch()
    const first = inOrder(people.slice(0, 64).map(({ raw }) => raw))
    expect(inOrder(cell.state.revoked.map(({ subject }) => subject))).to.deep.equal(first)
    for (let at = 0; at < 2; at++) await epoch()
    expect(cell.state.revoked).to.have.length(70)
    const attested = attests(cell).length
    for (let at = 0; at < 4; at++) await epoch()
    expect(attests(cell), 'nothing is left to say').to.have.length(attested)
  })

  it('a leader that goes after the entry was agreed is not missed, and the next says what it did not', async () => {
    cell = await AttestingCell.of(3)
    const [a, b, c] = cell.members as [Member, Member, Member]
    cell.isWithoutQuorum = true
    await epoch([says(a, [3, 3])])
    expect(attests(cell)).to.have.length(0)
    cell.isWithoutQuorum = false
    cell.leader = b
    await epoch([says(a, [4, 4])])
    await a.attester.stop()
    cell.leader = c
    await epoch([says(a, [4, 4])])
    expect(cell.operator.attested).to.deep.include({ epoch: 2, t: [4, 4] })
    await epoch([says(a, [5, 5])])
    await epoch([says(a, [5, 5])])
    expect(cell.operator.attested?.t).to.deep.equal([5, 5])
  })

  it('a leader that has just begun says the T_cell that the one before it said of the epoch', async () => {
    cell = await AttestingCell.of(3)
    const [a, b, c] = cell.members as [Member, Member, Member]
    await epoch([says(a, [3, 3])])
    cell.leader = b
    remove(c)
    await settled()
    expect(b.attestations.at(-1)).to.deep.include({ epoch: 1, t: [3, 3], members: keysOf([a, b]) })
  })

  it('a member whose cell or mesh lags says the same as soon as it has both', async () => {
    cell = await AttestingCell.of(3)
    const [a, b, c] = cell.members as [Member, Member, Member]
    c.holdsLog = true
    b.holdsEpochs = true
    await epoch([says(a, [3, 3])])
    expect(cell.members.map(({ submitted }) => submitted.length)).to.deep.equal([0, 0, 0])
    b.holdsEpochs = false
    c.holdsLog = false
    for (const member of [b, c]) member.follow()
    await settled()
    expect(a.attestations).to.deep.equal(b.attestations)
    expect(c.attestations.at(-1)).to.deep.equal(a.attestations.at(-1))
    expect([...b.warnings, ...c.warnings]).to.deep.equal([])
  })

  describe('before a member goes', () => {
    const leave = (member: Member, signal = new AbortController().signal) =>
      cell.members[0]!.attester.release(member.person.peerId.toString(), signal)

    it('of a cell of two, it signs that the cell does without it', async () => {
      cell = await AttestingCell.of(2)
      await epoch()
      await epoch()
      const [a, b] = cell.members as [Member, Member]
      const released = leave(b)
      await settled()
      await epoch()
      expect(await released).to.equal(true)
      expect(cell.operator.members).to.deep.equal([a.person.raw])
      remove(b)
      await settled()
      await epoch()
      expect(cell.state.revoked).to.have.length(1)
    })

    it('of three members that are alone, the one that votes does so until another can', async () => {
      cell = await AttestingCell.of(3, 3, {}, true)
      await epoch()
      await epoch()
      await epoch()
      const [first, second] = cell.members as [Member, Member]
      expect(cell.state.validators.map(({ key }) => key)).to.deep.equal([first.person.raw])
      let isReleased = false
      const released = leave(first).then((is) => (isReleased = is))
      await settled()
      await epoch()
      expect(cell.operator.members).to.have.length(2)
      expect(isReleased, 'it still decides the next epoch').to.equal(false)
      await epoch()
      expect(await released).to.equal(true)
      expect(cell.state.validators.map(({ key }) => key)).to.deep.equal([second.person.raw])
    })

    it('of four members that are alone all vote: one of them may be lost', async () => {
      cell = await AttestingCell.of(4, 4, {}, true)
      await epoch()
      await epoch()
      await epoch()
      expect(cell.state.validators).to.have.length(4)
    })

    it('nothing is waited for where the others suffice, or where it is the last', async () => {
      cell = await AttestingCell.of(3)
      expect(await leave(cell.members[2]!)).to.equal(true)
      await cell.stop()
      cell = await AttestingCell.of(1)
      expect(await leave(cell.members[0]!)).to.equal(true)
      expect(cell.log.filter(([body]) => 'type' in body && body.type === 'member-leaving')).to.deep.equal([])
    })

    it('who has not gone in the end is named again; and nobody waits longer than they want', async () => {
      cell = await AttestingCell.of(2)
      await epoch()
      await epoch()
      const given = new AbortController()
      const released = leave(cell.members[1]!, given.signal)
      await settled()
      given.abort()
      expect(await released).to.equal(false)
      await epoch()
      expect(cell.operator.members).to.have.length(1)
      while (cell.state.height < 2 + LEAVING_EPOCHS) await epoch()
      await epoch()
      expect(cell.operator.members).to.have.length(2)
    })
  })

  describe('refuses', () => {
    const codes = () => cell.verdicts.flatMap((verdict) => (verdict.kind === 'accept' ? [] : [verdict.code]))
    const shareOf = async (member: Member): Promise<Uint8Array> => {
      const told = Promise.withResolvers<Uint8Array>()
      cell.onShare = (from, bytes) => {
        if (from === member) told.resolve(bytes)
        return undefined
      }
      cell.epoch()
      return told.promise
    }

    it('a forged signature, and what was signed for something else', async () => {
      cell = await AttestingCell.of(3)
      const [a, b] = cell.members as [Member, Member]
      const { a: body, s } = signedAttestationCodec.decode(await shareOf(a))
      const [key, signature] = s[0]!
      const forged = signature.with(5, signature[5]! ^ 1)
      const other = await sign(a.person.key, DOMAIN.governance, body)
      for (const wrong of [forged, other]) {
        const bytes = signedAttestationCodec.encode({ a: body, s: [[key, wrong]] })
        expect(b.attester.take(a.person.peerId, bytes)).to.deep.equal({
          kind: 'reject',
          code: 'E_ATTESTATION_SIGNATURE',
        })
      }
      await settled()
      expect(b.submitted).to.deep.equal([])
    })

    it('a share of another cell’s member, and ignores one of whom the record does not have yet', async () => {
      cell = await AttestingCell.of(3, 2)
      const [a, b, c] = cell.members as [Member, Member, Member]
      const share = await shareOf(a)
      const other = peerIdFromString(peerIdFromKey(cell.state.operators[1]!.members[0]!))
      const member = 'E_ATTESTATION_STRANGER'
      expect(b.attester.take(other, share)).to.deep.equal({ kind: 'reject', code: member })
      const { a: body } = signedAttestationCodec.decode(share)
      const early = [c.person.raw, await sign(c.person.key, DOMAIN.attestation, body)] as const
      const bytes = signedAttestationCodec.encode({ a: body, s: [early] })
      expect(b.attester.take(c.person.peerId, bytes)).to.deep.equal({ kind: 'ignore', code: member })
    })

    it('another cell’s, another mesh’s, several signatures at once, and bytes that are none', async () => {
      cell = await AttestingCell.of(3)
      const [a, b] = cell.members as [Member, Member]
      const { a: body, s } = signedAttestationCodec.decode(await shareOf(a))
      const attestation = attestationCodec.decode(body)
      const of = (change: object) => ({ a: attestationCodec.encode({ ...attestation, ...change }), s })
      const two = inOrder([a.person.raw, b.person.raw]).map((key) => [key, s[0]![1]] as const)
      const malformed = { kind: 'reject', code: 'E_ATTESTATION_MALFORMED' }
      const taken = (share: Parameters<typeof signedAttestationCodec.encode>[0]) =>
        b.attester.take(a.person.peerId, signedAttestationCodec.encode(share))
      expect(taken(of({ cell: 'beta' }))).to.deep.equal(malformed)
      expect(taken({ a: body, s: two })).to.deep.equal(malformed)
      expect(taken(of({ mesh: new Uint8Array(36) }))).to.deep.equal({ kind: 'reject', code: 'E_ATTESTATION_MESH' })
      expect(b.attester.take(a.person.peerId, new Uint8Array(9))).to.deep.equal(malformed)
    })

    it('nothing that comes twice, and counts it once', async () => {
      cell = await AttestingCell.of(5)
      const [a, b] = cell.members as [Member, Member]
      const share = await shareOf(a)
      await settled()
      for (let at = 0; at < 5; at++) expect(b.attester.take(a.person.peerId, share).kind).to.equal('accept')
      await settled()
      expect(b.submitted, 'two of five are no majority').to.deep.equal([])
      expect(codes()).to.deep.equal([])
    })

    it('what the record has already, and what differs from its own at the same entry', async () => {
      cell = await AttestingCell.of(3)
      const [a, b] = cell.members as [Member, Member]
      const share = await shareOf(a)
      await settled()
      const { a: body } = signedAttestationCodec.decode(share)
      const attestation = attestationCodec.decode(body)
      const lie = attestationCodec.encode({ ...attestation, t: [1, 1] })
      const signed = [a.person.raw, await sign(a.person.key, DOMAIN.attestation, lie)] as const
      const differs = b.attester.take(a.person.peerId, signedAttestationCodec.encode({ a: lie, s: [signed] }))
      expect(differs).to.deep.equal({ kind: 'ignore', code: 'E_ATTESTATION_DIFFERS' })
      expect(b.warnings).to.have.length(1)
      cell.onShare = (_from, bytes) => bytes
      await epoch()
      await epoch()
      expect(cell.operator.attested).to.deep.include({ epoch: 1 })
      expect(b.attester.take(a.person.peerId, share)).to.deep.equal({ kind: 'ignore', code: 'E_ATTESTATION_STALE' })
    })
  })
})
