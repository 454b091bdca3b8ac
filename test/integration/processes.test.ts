import { expect } from 'chai'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { CoherenceDocument, PeerRow, QueryRow, StatusDocument } from '../../node/operations.ts'
import { startKairos } from '../helpers/kairos.ts'
import { document, eventually, holdPort, isRunning, Stage } from '../helpers/processes.ts'

const FILE_BYTES = 5 * 1024 * 1024
/** Two signals within half a second are one Ctrl-C that came twice. */
const OTHER_SIGNAL_MS = 600

const lines = <T>(ndjson: string): T[] =>
  ndjson
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
const codeIn = (stderr: string): string =>
  /"code":"(E_\w+)"/.exec(stderr.trim().split('\n').at(-1) ?? '')?.[1] ?? stderr
const freePort = async (): Promise<number> => {
  const { port, release } = await holdPort(0)
  await release()
  return port
}

describe('nodes in processes of their own', function () {
  this.timeout(60_000)
  let stage: Stage
  beforeEach(async () => {
    stage = await Stage.open()
  })
  afterEach(() => stage.close())

  const found = (name: string, ...args: string[]) =>
    stage.did(name, ['init', '--name', name, '--profile', 'test', '-q', ...args])
  const ticketOf = async (issuer: string, ...args: string[]) =>
    (await stage.did(issuer, ['invite', '-q', ...args])).trim()
  const enter = (name: string, ticket: string, port = 0) =>
    stage.did(name, [
      'join',
      ticket,
      '--name',
      name,
      '--profile',
      'test',
      '--listen',
      `/ip4/127.0.0.1/tcp/${port}`,
      '-q',
    ])
  const status = (name: string) => document<StatusDocument>(stage.path(name), 'status')
  const connected = (name: string, count: number) =>
    eventually(`${name} has ${count} peers`, async () => (await status(name))?.peers.connected === count)

  describe('two that a person starts by hand', () => {
    beforeEach(async () => {
      await found('one')
      await stage.run('one')
      await enter('two', await ticketOf('one'))
    })

    it('meet, see each other, and show one that has stopped as a row with its error', async () => {
      const two = await stage.run('two')
      await connected('one', 1)
      const { peers } = await stage.json<{ peers: PeerRow[] }>('one', ['peers'])
      expect(peers.map(({ name, role, connected }) => [name, role, connected])).to.deep.equal([['two', 'full', true]])
      const rows = lines<QueryRow>(await stage.did('two', ['query', 'status', '--all', '--json']))
      expect(rows.map(({ name, error }) => [name, error])).to.have.deep.members([
        ['one', undefined],
        ['two', undefined],
      ])
      expect((await two.stop()).code).to.equal(0)
      const without = await stage.kairos('one', ['query', 'status', '--all', '--json'])
      expect(without.code, without.stderr).to.equal(0)
      const silent = lines<QueryRow>(without.stdout).find(({ name }) => name === 'two')
      expect(silent).to.not.have.property('data')
      expect(silent?.error?.code).to.match(/^E_(PEER_UNREACHABLE|DIAL_FAILED)$/)
    })

    it('move a file, a directory and stdin of five MiB from one to the other', async () => {
      await stage.run('two')
      await connected('two', 1)
      const bytes = randomBytes(FILE_BYTES)
      const tree = stage.path('tree')
      await mkdir(join(tree, 'deep'), { recursive: true })
      await writeFile(join(tree, 'deep', 'large'), bytes)
      await writeFile(join(tree, 'hello.txt'), 'hello\n')
      const added = async (args: string[], input?: string) =>
        (await stage.did('one', ['add', '-Q', ...args], input === undefined ? {} : { input })).trim()
      const [cid, hello, said] = [
        await added(['-r', tree]),
        await added([join(tree, 'hello.txt')]),
        await added(['-', '--name', 'said'], 'from stdin\n'),
      ]
      // As `ipfs add --cid-version=1` gives it.
      expect(hello).to.equal('bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am')
      expect(await stage.did('two', ['cat', hello])).to.equal('hello\n')
      expect(await stage.did('two', ['cat', said])).to.equal('from stdin\n')
      expect(await stage.did('two', ['ls', cid]))
        .to.match(/deep\/?\s/)
        .and.contain('hello.txt')
      expect(await stage.json('two', ['stat', `${cid}/deep/large`])).to.include({ type: 'file', size: FILE_BYTES })
      await stage.did('two', ['get', cid, '-o', stage.path('got')])
      const hash = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')
      expect(hash(await readFile(stage.path('got', 'deep', 'large')))).to.equal(hash(bytes))
      expect(await readFile(stage.path('got', 'hello.txt'), 'utf8')).to.equal('hello\n')
    })

    it('refuse a ticket used up, altered or expired, each with its own code', async () => {
      const used = await ticketOf('one')
      const short = await ticketOf('one', '--expires', '1s')
      await enter('three', used)
      const refused = async (name: string, ticket: string) => {
        const { code, stderr } = await stage.kairos(name, ['join', ticket, '--name', name, '--json'])
        return [code, codeIn(stderr)]
      }
      expect(await refused('four', used)).to.deep.equal([8, 'E_TICKET_USED'])
      const altered = used.slice(0, -8) + (used.at(-8) === 'a' ? 'b' : 'a') + used.slice(-7)
      expect(await refused('five', altered)).to.deep.equal([3, 'E_TICKET_ALTERED'])
      expect(await refused('five', 'kairos1nonsense')).to.deep.equal([3, 'E_TICKET_ALTERED'])
      await eventually('the short ticket has expired', async () => {
        const [code, why] = await refused('six', short)
        return code === 8 && why === 'E_TICKET_EXPIRED'
      })
    })

    it('do not take the member of another mesh, neither by a ticket nor by its address', async () => {
      await found('other')
      await stage.run('other')
      await enter('guest', await ticketOf('other'))
      const joined = await stage.kairos('guest', ['join', await ticketOf('one'), '--json'])
      expect([joined.code, codeIn(joined.stderr)]).to.deep.equal([4, 'E_ALREADY_MEMBER'])
      const { addresses } = await stage.json<{ addresses: string[] }>('other', ['id'])
      const dialled = await stage.kairos('one', ['peers', 'connect', addresses[0]!, '--json'])
      expect([dialled.code, codeIn(dialled.stderr)]).to.deep.equal([8, 'E_MESH_MISMATCH'])
      expect((await status('one'))?.peers.connected).to.equal(0)
    })
  })

  it('find each other again when all others restart, and when all do, though no configuration names anybody', async () => {
    await found('a')
    const running = [await stage.run('a')]
    for (const name of ['b', 'c']) await enter(name, await ticketOf('a'), await freePort())
    running.push(...(await Promise.all([stage.run('b'), stage.run('c')])))
    for (const name of ['a', 'b', 'c']) await connected(name, 2)
    for (const name of ['b', 'c']) await stage.did(name, ['config', 'set', 'network.bootstrap', ''])
    const restart = async (names: string[], ended: typeof running) => {
      await Promise.all(ended.map((node) => node.stop()))
      const again = await Promise.all(names.map((name) => stage.run(name)))
      for (const name of ['a', 'b', 'c']) await connected(name, 2)
      return again
    }
    const others = await restart(['b', 'c'], running.slice(1))
    await restart(['a', 'b', 'c'], [running[0]!, ...others])
    // Their cell elects a leader first.
    expect(await eventually('a is ready', async () => (await status('a'))?.ready)).to.equal(true)
  })

  describe('and signals', () => {
    beforeEach(() => found('n'))
    const left = async () => (await readdir(stage.path('n'))).filter((name) => /^(lock|api)/.test(name))

    it('SIGTERM: 0, and neither lock nor address is left', async () => {
      const node = await stage.run('n')
      expect((await left()).sort()).to.deep.equal(['api', 'api.token', 'lock'])
      expect((await node.stop('SIGTERM')).code).to.equal(0)
      expect(await left()).to.deep.equal([])
    })

    it('SIGKILL: starts again, as the same node, with all that it acknowledged', async () => {
      await stage.did('n', ['config', 'set', 'network.listen', `/ip4/127.0.0.1/tcp/${await freePort()}`])
      const node = await stage.run('n')
      const { peerId } = await stage.json<{ peerId: string }>('n', ['id'])
      const cid = (await stage.did('n', ['add', '-Q', '-', '--name', 'kept'], { input: 'kept' })).trim()
      const ticket = await ticketOf('n')
      await enter('guest', ticket)
      await node.stop('SIGKILL')
      expect(await left()).to.include('lock')
      await stage.run('n')
      expect(await stage.json('n', ['id'])).to.include({ peerId })
      expect(await stage.did('n', ['cat', cid])).to.equal('kept')
      const again = await stage.kairos('other', ['join', ticket, '--name', 'other', '--json'])
      expect(codeIn(again.stderr)).to.equal('E_TICKET_USED')
    })

    it('a second SIGINT ends it at once, also while somebody still sends', async () => {
      const node = await stage.run('n')
      const sender = startKairos(['--path', stage.path('n'), 'add', '-'])
      const sending = stage.watch(sender)
      sender.stdin.write('never ends')
      await eventually(
        'the node has the request',
        async () => (await document(stage.path('n'), 'version')) !== undefined,
      )
      node.child.kill('SIGINT')
      await delay(OTHER_SIGNAL_MS)
      const isLate = node.child.kill('SIGINT')
      expect((await node.end).code).to.equal(isLate ? 130 : 0)
      expect(await isRunning(node.child.pid!)).to.equal(false)
      expect((await sending.end).code).to.equal(2)
    })
  })

  describe('and their input', () => {
    const phases = { 'signal.rate_hz': '100', 'master.tau_max': '5' }
    const listening = async (settings: Record<string, string>) => {
      await found('n')
      for (const [key, value] of Object.entries({ ...phases, ...settings })) {
        await stage.did('n', ['config', 'set', key, value])
      }
    }
    const warned = (pattern: RegExp) =>
      eventually(`a warning like ${pattern}`, async () =>
        (await status('n'))?.warnings.some((text) => pattern.test(text)),
      )
    const recording = async (rows: string[]) => {
      await writeFile(stage.path('r.csv'), `${rows.join('\n')}\n`)
      await listening({ 'signal.source': 'recording', 'signal.path': stage.path('r.csv') })
    }
    const good = Array.from({ length: 200 }, (_, k) => String((2 * k) / 100))

    it('a text among numbers ends the signal at its line, and the node runs on', async () => {
      await recording(['phase', ...good.slice(0, 5), 'oops', ...good])
      const node = await stage.run('n')
      await warned(/line 7: .*oops/)
      expect((await status('n'))?.ready).to.equal(true)
      expect((await node.stop()).code).to.equal(0)
    })

    it('under on_bad_sample: invalid it costs that sample only', async () => {
      await recording(['phase', ...good.slice(0, 5), 'Infinity', 'NaN', ...good])
      await stage.did('n', ['config', 'set', 'signal.on_bad_sample', 'invalid'])
      await stage.did('n', ['config', 'set', 'signal.loop', 'true'])
      const node = await stage.run('n')
      await warned(/^\d+ samples could not be read/)
      await eventually('coherence', async () => ((await status('n'))?.coherence?.magnitudeSquared ?? 0) > 0.5)
      const { stderr } = await node.stop()
      expect(stderr).to.contain('line 7: ').and.contain('line 8: ')
    })

    it('a column that is missing is said, with those that are there', async () => {
      await recording(['angle', ...good])
      await stage.run('n')
      await warned(/no column "phase" \(the columns are: angle\)/)
    })

    it('a live stream with garbage in it is heard around the garbage', async () => {
      await listening({ 'signal.source': 'stdin', 'signal.on_bad_sample': 'invalid' })
      const node = await stage.run('n', [], { keepStdin: true })
      const say = (text: string) => node.stdin.write(text)
      good.forEach((phase) => say(`{"phase":${phase}}\n`))
      say('{"phase":"x"}\n{broken\n[]\nnull\n\n{"other":1}\n')
      good.forEach((phase) => say(`{"phase":${phase}}\n`))
      await warned(/^5 samples could not be read/)
      const { sync } = (await document<CoherenceDocument>(stage.path('n'), 'coherence'))!
      expect(sync?.nEff).to.be.greaterThan(18)
      node.stdin.end()
      await warned(/the signal has ended/)
      expect((await node.stop()).code).to.equal(0)
    })
  })

  describe('and a disk that is full', () => {
    const disk = () => stage.path('disk')
    beforeEach(async function () {
      await mkdir(disk(), { mode: 0o700 })
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m,mode=700', 'tmpfs', disk()], { stdio: 'ignore' })
      } catch {
        console.warn('      skipped: only root may mount a small file system')
        this.skip()
      }
      await found('disk/n')
      await stage.did('disk/n', ['config', 'set', 'network.listen', `/ip4/127.0.0.1/tcp/${await freePort()}`])
    })
    afterEach(() => {
      if (existsSync(join(disk(), 'n'))) execFileSync('umount', ['-l', disk()])
    })
    const add = (text: string) => stage.kairos('disk/n', ['add', '-Q', '-', '--json'], { input: text })
    const cidOf = ({ stdout }: { stdout: string }) => lines<{ cid: string }>(stdout)[0]!.cid

    it('content is refused with its own code, and what was there is kept', async () => {
      const node = await stage.run('disk/n')
      const small = cidOf(await add('small'))
      const refused = await add(randomBytes(FILE_BYTES).toString('hex'))
      expect([refused.code, codeIn(refused.stderr)]).to.deep.equal([6, 'E_DISK_FULL'])
      expect(await stage.did('disk/n', ['cat', small])).to.equal('small')
      expect((await node.stop()).code).to.be.oneOf([0, 6])
    })

    it('what cannot be stored is not acknowledged: the node ends with 6 and loses nothing', async () => {
      const node = await stage.run('disk/n')
      const small = cidOf(await add('small'))
      const [used, many] = [await ticketOf('disk/n'), await ticketOf('disk/n', '--uses', '100')]
      await enter('guest', used)
      // dd ends when there is no space left.
      spawnSync('dd', ['if=/dev/zero', `of=${join(disk(), 'filler')}`, 'bs=4096'], { stdio: 'ignore' })
      // The last page of the database's log still takes some.
      const guest = (i: number) => stage.kairos(`late-${i}`, ['join', many, '--name', `late-${i}`, '--json'])
      let entered = 0
      while ((await guest(entered)).code === 0) entered += 1
      const { code, stderr } = await node.end
      expect([code, stderr.includes('E_DISK_FULL')], stderr).to.deep.equal([6, true])
      const full = await stage.kairos('disk/n', ['run', '--json'])
      expect([full.code, codeIn(full.stderr)]).to.deep.equal([6, 'E_DISK_FULL'])
      await rm(join(disk(), 'filler'))
      const again = await stage.run('disk/n')
      expect(await stage.did('disk/n', ['cat', small])).to.equal('small')
      // Whoever was let in still is, who was not can be now.
      for (const i of [entered - 1, entered]) if (i >= 0) expect((await guest(i)).code).to.equal(0)
      const twice = await stage.kairos('other', ['join', used, '--name', 'other', '--json'])
      expect(codeIn(twice.stderr)).to.equal('E_TICKET_USED')
      expect((await again.stop()).code).to.equal(0)
    })
  })
})
