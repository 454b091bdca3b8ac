import { expect } from 'chai'
import type { Finding, PinStatusDocument, StatusDocument } from '../../node/operations.ts'
import { RealCell } from '../helpers/cell.ts'
import { startKairos } from '../helpers/kairos.ts'
import { eventually } from '../helpers/processes.ts'

/** Nobody has it. */
const NOWHERE = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

describe('a full node that holds pins and leaves, with real nodes', function () {
  this.timeout(90_000)
  let cell: RealCell
  before(async () => {
    cell = await RealCell.of(3)
  })
  after(() => cell.close())

  const leave = (name: string, ...flags: string[]) => cell.stage.kairos(name, ['leave', '--yes', ...flags])
  const isDraining = async (name: string, seenBy = 'a') =>
    (await cell.members(seenBy)).find(({ peerId }) => peerId === cell.peerId(name))?.draining
  const held = (name: string, cid: string) => cell.stage.json<PinStatusDocument>(name, ['pin', 'status', cid])

  it('is drained and undrained by name, which members shows', async () => {
    expect(await cell.stage.did('b', ['members', 'drain', 'c'])).to.equal(
      'c is drained: 0 copies to move, as kairos members shows\n',
    )
    expect(await cell.stage.did('a', ['members'])).to.match(/ c +\d +draining +voter /)
    await cell.stage.did('c', ['members', 'undrain', 'c'])
    expect(await isDraining('c')).to.equal(false)
  })

  it('stays, and is drained no more, after Ctrl-C, and when nothing moves for as long as it was told to wait', async () => {
    await cell.stage.did('b', ['pin', 'add', NOWHERE, '--replication', '1', '--allocations', 'b'])
    const leaving = cell.stage.watch(startKairos(['--path', cell.stage.path('b'), 'leave', '--yes']))
    let told = ''
    leaving.child.stderr?.on('data', (chunk) => (told += String(chunk)))
    await leaving.until('it says what it waits for', () => told.includes('moving 1 copy to other members first'))
    expect(await isDraining('b')).to.equal(true)
    expect((await leaving.stop('SIGINT')).code).to.equal(130)
    await eventually('b is drained no more', async () => (await isDraining('b')) === false)
    const late = await leave('b', '--drain-timeout', '1s', '--json')
    expect(late.code).to.equal(7)
    const { error } = JSON.parse(late.stderr) as { error: Record<string, string> }
    expect(error).to.include({ code: 'E_DRAIN_STALLED' })
    expect(error['hint']).to.contain('--no-drain')
    expect(await isDraining('b')).to.equal(false)
    const findings = await cell.stage.kairos('b', ['doctor', '--json'])
    expect((JSON.parse(findings.stdout) as { findings: Finding[] }).findings.map(({ check }) => check)).to.include(
      'pin queue',
    )
    await cell.stage.did('b', ['pin', 'rm', NOWHERE])
  })

  it('goes once its copies are held by others', async () => {
    const add = ['add', '-', '-Q', '--name', 'text', '--pin', '--rmin', '2', '--rmax', '2', '--wait']
    const cid = (await cell.stage.did('b', add, { input: 'to be kept' })).trim()
    const { pins } = await cell.stage.json<StatusDocument>('b', ['status'])
    expect(pins).to.deep.include({ agreed: 1, pinned: 1, failed: 0, repair: true })
    const local = async (name: string) => (await cell.stage.did(name, ['pin', 'ls', '--local', '-q'])).trim()
    const holders = (await held('b', cid)).copies.map(({ name }) => name)
    for (const name of ['a', 'b', 'c']) expect(await local(name), name).to.equal(holders.includes(name) ? cid : '')
    const { code, stdout, stderr } = await leave('b')
    expect([code, stdout], stderr).to.deep.equal([0, 'left cell home, stopped\n'])
    expect(stderr).to.contain('moving 1 copy to other members first')
    await cell.gone('b')
    await cell.voters(2)
    const { copies, pinned } = await held('a', cid)
    expect([pinned, copies.map(({ name }) => name)]).to.deep.equal([2, ['a', 'c']])
  })

  it('stays where a copy has no other place, saying how many and what to do; --no-drain goes', async () => {
    const { code, stderr } = await leave('c', '--json')
    expect(code).to.equal(4)
    const { error } = JSON.parse(stderr) as { error: Record<string, string> }
    expect(error).to.include({ code: 'E_DRAIN_SHORT' })
    expect(error['message']).to.match(
      /^no other place for 1 copy of this node: text wants 2 copies, and .* can hold 1$/,
    )
    expect(error['hint']).to.contain('--no-drain')
    expect(await isDraining('c')).to.equal(false)
    expect((await leave('c', '--no-drain')).code).to.equal(0)
    await cell.gone('c')
    await cell.voters(1)
    expect((await cell.stage.json<StatusDocument>('a', ['status'])).pins).to.deep.include({ agreed: 1, pinned: 1 })
  })
})

describe('a full node that leaves while repair is off at the leader', function () {
  this.timeout(60_000)
  let cell: RealCell
  before(async () => {
    cell = await (await RealCell.open({ KAIROS_PINS_REPAIR: 'false' })).grow(2)
  })
  after(() => cell.close())

  it('is told so at once, leader or not, and runs on', async () => {
    await cell.stage.did('a', ['pin', 'add', NOWHERE, '--rmin', '1', '--rmax', '2', '--allocations', 'a,b'])
    for (const name of ['a', 'b']) {
      const { code, stderr } = await cell.stage.kairos(name, ['leave', '--yes'])
      expect([code, stderr], name).to.satisfy(([code, text]: [number, string]) => {
        return code === 7 && text.includes('1 copy of this node did not move elsewhere: repair is off at the leader')
      })
    }
    expect((await cell.members('a')).map(({ draining, copies }) => [draining, copies])).to.deep.equal([
      [false, 1],
      [false, 1],
    ])
    const doctor = await cell.stage.kairos(await cell.leader(), ['doctor'])
    expect(doctor.stdout).to.match(
      /^WARN {2}pin repair: off here, where the cell is led\n +kairos config set pins.repair/m,
    )
  })
})
