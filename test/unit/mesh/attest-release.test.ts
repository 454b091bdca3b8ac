import { expect } from 'chai'
import { LEAVING_EPOCHS } from '../../../node/mesh/attest-release.ts'
import { AttestingCell, settled, type Member } from './attesting-cell.ts'

describe('mesh: before a member of a cell goes', () => {
  let cell: AttestingCell
  afterEach(() => cell.stop())

  const leave = (member: Member, signal = new AbortController().signal) =>
    cell.members[0]!.attester.release(member.person.peerId.toString(), signal)

  it('of a cell of two, it signs that the cell does without it', async () => {
    cell = await AttestingCell.of(2)
    await cell.next()
    await cell.next()
    const [a, b] = cell.members as [Member, Member]
    const released = leave(b)
    await settled()
    await cell.next()
    expect(await released).to.equal(true)
    expect(cell.operator.members).to.deep.equal([a.person.raw])
    cell.remove(b)
    await settled()
    await cell.next()
    expect(cell.state.revoked).to.have.length(1)
  })

  it('of three members that are alone, the one that votes does so until another can', async () => {
    cell = await AttestingCell.of(3, 3, {}, true)
    await cell.next()
    await cell.next()
    await cell.next()
    const [first, second] = cell.members as [Member, Member]
    expect(cell.state.validators.map(({ key }) => key)).to.deep.equal([first.person.raw])
    let isReleased = false
    const released = leave(first).then((is) => (isReleased = is))
    await settled()
    await cell.next()
    expect(cell.operator.members).to.have.length(2)
    expect(isReleased, 'it still decides the next epoch').to.equal(false)
    await cell.next()
    expect(await released).to.equal(true)
    expect(cell.state.validators.map(({ key }) => key)).to.deep.equal([second.person.raw])
  })

  it('of four members that are alone all vote: one of them may be lost', async () => {
    cell = await AttestingCell.of(4, 4, {}, true)
    await cell.next()
    await cell.next()
    await cell.next()
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
    await cell.next()
    await cell.next()
    const given = new AbortController()
    const released = leave(cell.members[1]!, given.signal)
    await settled()
    given.abort()
    expect(await released).to.equal(false)
    await cell.next()
    expect(cell.operator.members).to.have.length(1)
    while (cell.state.height < 2 + LEAVING_EPOCHS) await cell.next()
    await cell.next()
    expect(cell.operator.members).to.have.length(2)
  })
})
