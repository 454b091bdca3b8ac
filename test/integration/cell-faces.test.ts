import { expect } from 'chai'
import type { CellDocument, CellMemberRow, Finding, StatusDocument } from '../../node/operations.ts'
import { document, eventually, Stage, type RunningProcess } from '../helpers/processes.ts'

const FULL = ['one', 'two', 'three']
const ANY_PORT = { KAIROS_API_PORT: '0' }

describe('the cell on the command line, with real nodes', function () {
  this.timeout(60_000)
  let stage: Stage
  const running = new Map<string, RunningProcess>()

  const start = async (name: string) => void running.set(name, await stage.run(name, [], { env: ANY_PORT }))
  const cellOf = (name: string) => document<CellDocument>(stage.path(name), 'cell')
  const membersOf = async (name: string, ...flags: string[]) =>
    (await stage.json<{ members: CellMemberRow[] }>(name, ['members', ...flags])).members
  const enter = async (name: string, role: string) => {
    const ticket = (await stage.did('one', ['invite', '--role', role, '-q'])).trim()
    await stage.did(name, ['join', ticket, '--name', name, '--profile', 'test'])
    await start(name)
  }
  const voting = (...names: string[]) =>
    Promise.all(
      names.map((name) =>
        eventually(`${name} sees ${names.length} voters and a leader`, async () => {
          const cell = await cellOf(name)
          return cell !== undefined && cell.leader !== null && cell.voters.length === names.length && cell
        }),
      ),
    )
  const refused = async (name: string, args: string[]) => {
    const { code, stdout, stderr } = await stage.kairos(name, [...args, '--json'])
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; hint?: string } }
    return { exit: code, stdout, ...error }
  }

  before(async function () {
    stage = await Stage.open()
    await stage.did('one', ['init', '--name', 'one', '--profile', 'test'])
    await start('one')
    for (const name of ['two', 'three']) await enter(name, 'full')
    await enter('light', 'light')
    await voting(...FULL)
  })
  after(() => stage.close())

  it('lists the same three voters on each node, names the leader in status, and is well', async () => {
    for (const name of FULL) {
      const members = await eventually(`${name} knows all names`, async () => {
        const rows = await membersOf(name)
        return rows.every((row) => row.name !== '' && row.status === 'voter') && rows
      })
      expect(members.map((row) => row.name)).to.have.members(FULL)
      expect(members.filter(({ isSelf }) => isSelf).map((row) => row.name)).to.deep.equal([name])
      const { cells } = await stage.json<StatusDocument>(name, ['status'])
      const leader = members.find(({ isLeader }) => isLeader)?.name
      expect(cells).to.have.length(1)
      expect(cells[0]).to.include({ name: 'home', leader, hasQuorum: true, problem: null })
      expect(cells[0]?.voters).to.have.members(FULL)
    }
    expect(await stage.did('two', ['members'])).to.match(/^PEER +NAME +RAFT ID .*LABELS$/m)
    expect(await stage.did('two', ['status'])).to.match(/^cell: +home, \w+, led by \w+ \(3 voters; term \d+/m)
    expect(await stage.did('two', ['cell', 'status'])).to.match(/^voters: +\w+, \w+, \w+$/m)
  })

  it('sets a label by name on one node, shows it on another, and drops it', async () => {
    await stage.did('three', ['members', 'label', 'two', 'rack=r12'])
    const labels = async () => (await membersOf('one')).find(({ name }) => name === 'two')?.labels
    expect(await labels()).to.deep.equal({ rack: 'r12' })
    await stage.did('two', ['members', 'label', 'two', 'rack='])
    expect(await labels()).to.deep.equal({})
    expect(await refused('one', ['members', 'label', 'two', 'rack'])).to.include({ exit: 128, code: 'E_USAGE' })
    expect(await refused('one', ['members', 'label', 'two', 'Rack=1'])).to.include({ exit: 3, code: 'E_PARAMETER' })
  })

  it('takes a snapshot when asked, and hands leadership to the member that is named', async () => {
    const applied = (await cellOf('one'))!.appliedIndex
    await stage.did('one', ['cell', 'snapshot'])
    await eventually('it is durable', async () => (await cellOf('one'))!.snapshotIndex >= applied)
    const leader = (await membersOf('one')).find(({ isLeader }) => isLeader)!.name
    const next = FULL.find((name) => name !== leader)!
    expect(await stage.did(leader, ['cell', 'transfer', next])).to.equal(`${next} leads\n`)
    for (const name of FULL) {
      await eventually(`${name} sees ${next} lead`, async () => {
        const cell = await cellOf(name)
        return cell?.leader != null && cell.names[cell.leader] === next
      })
    }
    expect(await refused(next, ['cell', 'transfer', 'nobody'])).to.include({ exit: 4, code: 'E_MEMBER_UNKNOWN' })
  })

  it('on a light node refuses with the names of those to ask', async () => {
    for (const args of [['members'], ['cell', 'status'], ['leave', '--yes'], ['peers', 'rm', 'two']]) {
      const error = await refused('light', args)
      expect(error).to.include({ exit: 4, code: 'E_NOT_IN_ROLE', stdout: '' })
      expect(error.hint).to.match(/^ask .*\bone\b/)
    }
    expect((await stage.json<StatusDocument>('light', ['status'])).cells).to.deep.equal([])
  })

  it('revokes a node that is no member of the cell: it is hung up on and let in no more', async () => {
    const light = (await document<{ peerId: string }>(stage.path('light'), 'id'))!.peerId
    const removal = await stage.json<object>('two', ['peers', 'rm', light, '--reason', 'stolen'])
    expect(removal).to.include({ peerId: light, reason: 'stolen' })
    for (const name of FULL)
      await eventually(`${name} has hung up on it`, async () => {
        const list = await document<{ peers: { peerId: string; connected: boolean }[] }>(stage.path(name), 'peers')
        return list !== undefined && !list.peers.some(({ peerId, connected }) => peerId === light && connected)
      })
    const again = await stage.kairos('light', ['peers', 'connect', await addressOf('one'), '--json'])
    expect(again.code).to.not.equal(0)
  })

  it('without a quorum says so with 5 and one code, still reads stale, and recovers', async () => {
    for (const name of ['two', 'three']) await running.get(name)!.stop('SIGKILL')
    const asked = [['members'], ['members', 'rm', 'three'], ['members', 'label', 'two', 'a=b']]
    const [read, removal, write] = await Promise.all(asked.map((args) => refused('one', args)))
    for (const error of [read, removal]) expect(error).to.include({ exit: 5, code: 'E_NO_QUORUM', stdout: '' })
    expect(write!.exit).to.equal(5)
    expect(write!.code).to.be.oneOf(['E_NO_QUORUM', 'E_OUTCOME_UNKNOWN'])
    expect((await membersOf('one', '--stale')).map(({ name }) => name)).to.have.members(FULL)
    await eventually('it no longer believes in a leader', async () => (await cellOf('one'))?.leader === null)
    for (const verb of [['status'], ['cell', 'status'], ['doctor']]) {
      expect((await stage.kairos('one', verb)).code, verb.join(' ')).to.equal(5)
    }
    const { findings } = JSON.parse((await stage.kairos('one', ['doctor', '--json'])).stdout) as { findings: Finding[] }
    expect(findings.find(({ check }) => check === 'cell')).to.deep.equal({
      check: 'cell',
      ok: false,
      message: 'cell home has no leader',
      remedy: 'start the other voters of kairos members --stale: the cell works with a majority of them',
    })
    for (const name of ['two', 'three']) await start(name)
    await voting(...FULL)
    expect(await membersOf('one')).to.have.length(3)
  })

  it('leaves only when that is meant; the others go on without its vote', async () => {
    expect(await refused('three', ['leave'])).to.include({ exit: 128, code: 'E_USAGE', hint: 'say so with --yes' })
    expect(await stage.did('three', ['leave', '--yes'])).to.equal('left cell home, stopped\n')
    expect((await running.get('three')!.end).code).to.equal(0)
    await voting('one', 'two')
    const doctor = await stage.did('one', ['doctor'])
    expect(doctor).to.match(/^WARN {2}cell voters: 2 voters: .*\n +invite a third full node$/m)
  })

  it('removes a member by its name, which stops being one; the last cannot go', async () => {
    const lines = await stage.did('one', ['members', 'rm', 'two', '--reason', 'sold'])
    expect(lines).to.match(/^removed two \(12D3KooW\w+\); its key is let in no more\n$/)
    await voting('one')
    expect((await membersOf('one')).map(({ name }) => name)).to.deep.equal(['one'])
    expect(await refused('one', ['leave', '--yes'])).to.include({ exit: 4, code: 'E_MEMBER_LAST' })
    expect((await stage.kairos('one', ['status'])).code).to.equal(0)
  })

  const addressOf = async (name: string) =>
    (await document<{ addresses: string[] }>(stage.path(name), 'id'))!.addresses[0]!
})
