import { expect } from 'chai'
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { meshIdOf, parseGenesis } from '../../../protocols/admission/index.ts'
import { createIo } from '../../../node/cli/io.ts'
import { createProgram, globalFlags } from '../../../node/cli/program.ts'
import { VERBS } from '../../../node/cli/verb-table.ts'
import { resolvePaths } from '../../../node/config/paths.ts'
import { readMembership, writeMembership } from '../../../node/network/membership-files.ts'
import { createMembership } from '../../../node/network/membership.ts'
import { openDatabase } from '../../../node/storage/database.ts'
import { loadNodeKey } from '../../../node/storage/key-file.ts'
import { temporaryDirectory } from '../../helpers/node-directory.ts'
import { codeThrownBy, identity, inviteBytes, membership, mesh, NOW, redeem } from '../admission/fixtures.ts'

describe('command line: making a node', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let path: string
  beforeEach(async () => {
    directory = await temporaryDirectory()
    path = join(directory.path, 'node')
  })
  afterEach(() => directory.remove())

  /** One command on the directory of this test. @returns its stdout */
  async function kairos(verb: keyof typeof VERBS, ...args: string[]): Promise<string> {
    const program = createProgram()
    const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough(), env: {} }
    const io = createIo(streams, () => globalFlags(program), new AbortController().signal)
    await (await VERBS[verb]!()).register(program, io)
    await program.parseAsync([verb, ...args, '--path', path], { from: 'user' })
    return String(streams.stdout.read() ?? '')
  }
  const init = (...args: string[]) => kairos('init', '--profile', 'test', ...args)
  const files = () => readdir(path)
  const genesis = async () => (await readMembership(resolvePaths({ path })))!.genesis
  /** A ticket of another mesh, whose issuer nobody can reach. */
  const strangeTicket = async () => {
    const m = await mesh()
    return (await membership(m, m.alpha).invite({ role: 'light', addresses: [] })).ticket
  }

  describe('init', () => {
    for (const [what, code, ...flags] of [
      ['a cell that no certificate takes', 'E_CONFIG_INVALID', '--cell', 'UPPER'],
      ['a name that no certificate takes', 'E_CONFIG_INVALID', '--name', 'bell\u0007'],
      ['an address that is none', 'E_CONFIG_INVALID', '--listen', 'here'],
    ])
      it(`refuses ${what} before anything is written, and then takes a better one`, async () => {
        expect(await codeThrownBy(() => init(...(flags as string[])))).to.equal(code)
        expect(await files()).to.deep.equal([])
        await init('--cell', 'upper')
        expect((await genesis()).operators[0]?.cell).to.equal('upper')
      })

    it('goes on with a key and a configuration that an interrupted one left', async () => {
      await init('--name', 'one')
      const key = await readFile(join(path, 'node.key'), 'utf8')
      await rm(join(path, 'genesis'))
      await init()
      expect(await readFile(join(path, 'node.key'), 'utf8')).to.equal(key)
      expect((await genesis()).operators[0]?.founders[0]?.name).to.equal('one')
    })

    it('refuses a directory whose node belongs to a mesh: E_ALREADY_MEMBER', async () => {
      await init()
      const before = meshIdOf(await genesis())
      expect(await codeThrownBy(() => init())).to.equal('E_ALREADY_MEMBER')
      expect(meshIdOf(await genesis())).to.equal(before)
    })
  })

  describe('join', () => {
    it('that failed leaves a directory in which init works', async () => {
      const ticket = await strangeTicket()
      expect(await codeThrownBy(() => kairos('join', ticket, '--profile', 'test'))).to.equal('E_ISSUER_UNREACHABLE')
      await init('--name', 'one')
      expect((await genesis()).name).to.equal('one')
    })

    it('refuses a name that no certificate takes before anything is written', async () => {
      const ticket = await strangeTicket()
      expect(await codeThrownBy(() => kairos('join', ticket, '--name', 'a\u0007'))).to.equal('E_CONFIG_INVALID')
      expect(await files()).to.deep.equal([])
    })

    it('refuses an address that is none before anything is written', async () => {
      const ticket = await strangeTicket()
      for (const address of [
        '192.0.2.7',
        '/',
        '/ip4/nowhere',
        '/ip4/192.0.2.7/tcp/18789',
        '/p2p/12D3KooWCfN1S8qqD4Mt99xvAGRRAsriBmGP8wBpRG5fiZWgSfTR',
      ])
        expect(await codeThrownBy(() => kairos('join', ticket, '--at', address))).to.equal('E_ADDRESS_INVALID')
      expect(existsSync(path)).to.equal(false)
    })

    it('leaves a mesh of one, but not when others have entered it: E_ALREADY_MEMBER', async () => {
      await init()
      const ticket = await strangeTicket()
      expect(await codeThrownBy(() => kairos('join', ticket))).to.equal('E_ISSUER_UNREACHABLE')
      await admitGuest()
      expect(await codeThrownBy(() => kairos('join', ticket))).to.equal('E_ALREADY_MEMBER')
    })
  })

  /** As the running node would. */
  async function admitGuest(): Promise<void> {
    const paths = resolvePaths({ path })
    const database = await openDatabase(paths.data, { onFatal: () => undefined })
    const store = database.sublevel('admission')
    const key = await loadNodeKey(paths.key)
    const own = await genesis()
    const issuer = createMembership({ privateKey: key, genesis: own, chain: [], store, name: 'one', now: () => NOW })
    const self = { key, peerId: key.publicKey as never, id: key.publicKey.toString() }
    await redeem({ genesis: own, alpha: self, beta: self }, issuer, await identity(), await inviteBytes(issuer))
    await database.close()
  }

  it('makes no mesh that promises strangers what no node gives them', async () => {
    const entry = join(directory.path, 'entry.json')
    await writeFile(entry, await init('--founder'))
    expect(await codeThrownBy(() => kairos('genesis', 'create', entry, '--open'))).to.equal('commander.unknownOption')
    const made = JSON.parse(await kairos('genesis', 'create', entry)) as object
    await writeFile(entry, JSON.stringify({ ...made, open: true }))
    await init('--genesis', entry)
    expect(await kairos('genesis', 'show')).to.match(/^open: +yes.* members only/m)
  })

  it('keeps the genesis of a mesh that is left beside the new one', async () => {
    await init()
    const paths = resolvePaths({ path })
    const former = await readFile(paths.genesis, 'utf8')
    const { genesis: next } = await mesh()
    await writeMembership(paths, { genesis: next, chain: [] })
    await writeMembership(paths, { genesis: next, chain: [] })
    const kept = (await files()).filter((name) => name.startsWith('genesis.old-'))
    expect(kept).to.deep.equal([`genesis.old-${meshIdOf(parseGenesis(former)).slice(-8)}`])
    expect(await readFile(join(path, kept[0]!), 'utf8')).to.equal(former)
    expect(meshIdOf(await genesis())).to.equal(meshIdOf(next))
  })
})
