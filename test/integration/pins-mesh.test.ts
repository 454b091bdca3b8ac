import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import type { PinDocument, PinStatusDocument } from '../../node/operations.ts'
import { freePort } from '../helpers/cell.ts'
import { PinNodes } from '../helpers/pin-nodes.ts'
import { document, eventually, Stage, type RunningProcess } from '../helpers/processes.ts'

const OPERATORS = ['alpha', 'beta']
const GUESTS = ['light', 'witness', 'relay']
const PROFILE = ['--profile', 'test']

describe('pins across two cells of a mesh, and on its light, witness and relay', function () {
  this.timeout(90_000)
  let stage: Stage
  let nodes: PinNodes
  const running = new Map<string, RunningProcess>()
  const ports = new Map<string, number>()

  const start = async (name: string) => {
    const port = ports.get(name) ?? (await freePort())
    ports.set(name, port)
    const env = {
      KAIROS_API_PORT: '0',
      KAIROS_NETWORK_LISTEN: `/ip4/127.0.0.1/tcp/${port}`,
      KAIROS_NETWORK_BOOTSTRAP: OPERATORS.filter((other) => other !== name && ports.has(other))
        .map((other) => `/ip4/127.0.0.1/tcp/${ports.get(other)}`)
        .join(','),
    }
    running.set(name, await stage.run(name, [], { env }))
  }
  const refused = async (name: string, args: string[]) => {
    const { code, stderr } = await stage.kairos(name, [...args, '--json'])
    const { error } = JSON.parse(stderr.trim().split('\n').at(-1)!) as { error: { code: string; message: string } }
    return { exit: code, ...error }
  }
  const connected = (name: string, count: number) =>
    eventually(`${name} has ${count} peers`, async () => {
      const status = await document<{ peers: { connected: number } }>(stage.path(name), 'status')
      return (status?.peers.connected ?? 0) >= count
    })

  before(async () => {
    stage = await Stage.open()
    nodes = new PinNodes(stage)
    const entries: string[] = []
    for (const name of OPERATORS) {
      const entry = await stage.did(name, ['init', '--founder', '--name', name, '--role', 'full', '--cell', name])
      await writeFile(stage.path(`${name}.json`), entry)
      entries.push(stage.path(`${name}.json`))
    }
    const shape = ['--name', 'two', '--weight', '1', '--omega', '1']
    await writeFile(stage.path('genesis'), await stage.did('alpha', ['genesis', 'create', ...shape, ...entries]))
    for (const name of OPERATORS) await stage.did(name, ['init', '--genesis', stage.path('genesis'), ...PROFILE])
    for (const name of OPERATORS) await start(name)
    const enter = async (role: string) => {
      const ticket = (await stage.did('alpha', ['invite', '--role', role, '-q'])).trim()
      await stage.did(role, ['join', ticket, '--name', role, ...PROFILE])
      await start(role)
    }
    await Promise.all(GUESTS.map(enter))
    for (const name of [...OPERATORS, 'light', 'witness']) await connected(name, 2)
  })
  after(() => stage.close())

  const some = (bytes = 300_000): Buffer => randomBytes(bytes)
  const names = (pins: { cid: string }[]): string[] => pins.map(({ cid }) => cid)

  it('a cell pins what only another one has', async () => {
    const bytes = some(2_500_000)
    const cid = await nodes.add('alpha', bytes)
    const { pinned, copies } = await nodes.pinAndWait('beta', cid)
    expect([pinned, copies.map(({ name }) => name)]).to.deep.equal([1, ['beta']])
    expect(names((await nodes.list('alpha')).pins)).to.not.include(cid)
    await running.get('alpha')!.stop()
    expect((await nodes.cat('beta', cid)).equals(bytes)).to.equal(true)
    await start('alpha')
    await connected('light', 1)
    await connected('alpha', 2)
  })

  it('a light node pins in its cell through a full node', async () => {
    const text = some().toString('hex')
    const cid = (
      await stage.did('light', ['add', '-', '--pin', '--name', 'mine', '--wait', '-Q'], { input: text })
    ).trim()
    expect(await nodes.get('alpha', cid)).to.include({ name: 'mine' })
    expect(names((await nodes.list('light')).pins)).to.include(cid)
    const { copies, pinned } = await nodes.status('light', cid)
    expect([pinned, copies.map(({ name }) => name)]).to.deep.equal([1, ['alpha']])
    await nodes.unpin('light', cid)
    expect((await nodes.ask('alpha', `pins/get?path=${cid}`)).error).to.include({ code: 'E_PIN_UNKNOWN' })
  })

  it('a light node keeps what it is told to keep itself, beside what its cell keeps', async () => {
    const [bytes, theirs] = [some(), await nodes.add('light', some(), { pin: true, wait: true })]
    const cid = await nodes.add('alpha', bytes)
    const pin = JSON.parse(await stage.did('light', ['pin', 'add', cid, '--local', '--json'])) as PinDocument
    expect(pin).to.deep.include({ cid, replicationMax: 1 })
    await nodes.held('light', cid, 1)
    const own = JSON.parse(await stage.did('light', ['pin', 'ls', '--local', '--json'])) as { pins: PinDocument[] }
    expect(names(own.pins)).to.deep.equal([cid])
    expect(names((await nodes.list('alpha')).pins))
      .to.include(theirs)
      .and.to.not.include(cid)
    await nodes.gc('light')
    expect((await nodes.cat('light', cid)).equals(bytes)).to.equal(true)
    expect(await refused('alpha', ['pin', 'add', cid, '--local'])).to.include({ exit: 4, code: 'E_NOT_IN_ROLE' })
  })

  it('a witness keeps its own pins, also over a restart, and has no others', async () => {
    const bytes = some()
    const cid = await nodes.add('alpha', bytes)
    const { pinned, copies } = await nodes.pinAndWait('witness', cid, { name: 'seen' })
    expect([pinned, copies.map(({ name }) => name)]).to.deep.equal([1, ['witness']])
    expect(names((await nodes.list('alpha')).pins)).to.not.include(cid)
    const more = await refused('witness', ['pin', 'add', cid, '--rmin', '2'])
    expect(more).to.include({ exit: 4, code: 'E_NOT_IN_ROLE' })
    await running.get('witness')!.stop('SIGKILL')
    await start('witness')
    await nodes.gc('witness')
    expect((await nodes.list('witness')).pins).to.have.length(1)
    expect(await nodes.one<PinStatusDocument>('witness', `pins/status?path=${cid}`)).to.include({
      pinned: 1,
      name: 'seen',
    })
    expect((await nodes.cat('witness', cid)).equals(bytes)).to.equal(true)
    await nodes.unpin('witness', cid)
    await eventually('it lets go of it', async () => (await nodes.gc('witness')).removed > 0)
  })

  it('a relay keeps nothing, and says whom to ask', async () => {
    for (const args of [
      ['pin', 'ls'],
      ['pin', 'add', 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'],
      ['repo', 'gc'],
    ]) {
      const error = await refused('relay', args)
      expect(error, args.join(' ')).to.include({ exit: 4, code: 'E_NOT_IN_ROLE' })
      expect(error)
        .to.have.property('hint')
        .that.matches(/ask a full or light node/)
    }
  })
})
