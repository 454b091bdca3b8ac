import { expect } from 'chai'
import { readFile, writeFile } from 'node:fs/promises'
import type { EpochDocument, EpochRow, Finding, MotionDocument, ValidatorsDocument } from '../../node/operations.ts'
import type { ChainSummary, QueryRow, StatusDocument } from '../../node/operations.ts'
import { document, eventually, Stage, type RunningProcess } from '../helpers/processes.ts'

const ANY_PORT = { KAIROS_API_PORT: '0' }
const KEEPERS = ['one', 'two', 'light', 'relay']

describe("the mesh's record on the command line, with real nodes", function () {
  this.timeout(60_000)
  let stage: Stage
  const running = new Map<string, RunningProcess>()

  const start = async (name: string) => void running.set(name, await stage.run(name, [], { env: ANY_PORT }))
  const enter = async (name: string, role: string) => {
    const ticket = (await stage.did('one', ['invite', '--role', role, '-q'])).trim()
    await stage.did(name, ['join', ticket, '--name', name, '--profile', 'test'])
    await start(name)
  }
  const chainOf = async (name: string): Promise<ChainSummary | null | undefined> =>
    (await document<StatusDocument>(stage.path(name), 'status'))?.chain
  const atHeight = (name: string, height: number) =>
    eventually(`${name} has epoch ${height}`, async () => {
      const chain = await chainOf(name)
      return chain !== null && chain !== undefined && chain.height >= height && chain
    })
  const refused = async (name: string, args: string[]) => {
    const { code, stdout, stderr } = await stage.kairos(name, [...args, '--json'])
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; hint?: string } }
    return { exit: code, stdout, ...error }
  }
  const rows = <T>(text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as T)

  before(async function () {
    stage = await Stage.open()
    await stage.did('one', ['init', '--name', 'one', '--profile', 'test'])
    await start('one')
    for (const [name, role] of [
      ['two', 'full'],
      ['light', 'light'],
      ['relay', 'relay'],
    ] as const)
      await enter(name, role)
    for (const name of KEEPERS) await atHeight(name, 3)
  })
  after(() => stage.close())

  it('is shown by status: a height that grows, T_global, who votes, and what it rests on', async () => {
    const chain = (await chainOf('one'))!
    expect(chain).to.include({ role: 'validator', operators: 1, toleratedFaults: 0, trust: 'genesis', problem: null })
    expect(chain.t).to.have.length(2)
    await atHeight('one', chain.height + 1)
    expect(await stage.did('one', ['status'])).to.match(/^record: +epoch \d+ of 20\S+, T_global agreed .*validator/m)
    for (const name of ['light', 'relay']) expect((await chainOf(name))!.role).to.equal('follower')
  })

  it('is the same on every node that keeps it', async () => {
    const shown = await Promise.all(KEEPERS.map((name) => stage.json<EpochDocument>(name, ['epoch', 'show', '2'])))
    expect(new Set(shown.map(({ cid }) => cid)).size).to.equal(1)
    expect(shown[0]).to.include({ height: 2, proposerName: 'one' })
    expect(shown[0]!.certificate.signers.map(({ name }) => name)).to.deep.equal(['one'])
  })

  it('lists epochs, the newest first, or from a height upward', async () => {
    const list = async (...flags: string[]) =>
      rows<EpochRow>(await stage.did('two', ['epoch', 'ls', '--json', ...flags])).map(({ height }) => height)
    expect(await list('--from', '1', '--limit', '3')).to.deep.equal([1, 2, 3])
    const [newest, second] = await list('--limit', '2')
    expect(second).to.equal(newest! - 1)
    expect(await stage.did('two', ['epoch', 'ls', '--limit', '2'])).to.match(/^HEIGHT .*CID\n +\d+ .*\n +\d+ .*\n$/)
  })

  it('exports an epoch that verifies without a node, and not when a byte of it was changed', async () => {
    const file = stage.path('epoch')
    await stage.did('one', ['epoch', 'export', '3', '-o', file])
    const { meshId } = await idOf('one')
    const verified = await stage.did('nobody', ['epoch', 'verify', file, '--genesis', meshId])
    expect(verified)
      .to.match(/^valid: +yes\ntrusted: +the genesis of the mesh .*\n/)
      .and.match(/^epoch: +3, bafy/m)
    expect(await stage.did('light', ['epoch', 'verify', file])).to.equal(verified)
    expect(await refused('nobody', ['epoch', 'verify', file])).to.include({ exit: 4, code: 'E_LIGHT_UNTRUSTED' })
    const bytes = await readFile(file)
    const altered = Uint8Array.from(bytes)
    altered[bytes.length >> 1]! ^= 1
    await writeFile(stage.path('altered'), altered)
    const { code, stdout } = await stage.kairos('light', ['epoch', 'verify', stage.path('altered')])
    expect([code === 0, stdout]).to.deep.equal([false, ''])
    expect(await refused('one', ['epoch', 'export', '3', '-o', file])).to.include({ exit: 4, code: 'E_EXISTS' })
    expect(await readFile(file)).to.deep.equal(bytes)
  })

  it('refuses what there is not, each with its exit code', async () => {
    const cases: [node: string, args: string, exit: number, code: string][] = [
      ['one', 'epoch show 999999999', 4, 'E_EPOCH_UNKNOWN'],
      ['one', 'epoch export 999999999', 4, 'E_EPOCH_UNKNOWN'],
      ['one', 'epoch show zero', 128, 'E_USAGE'],
      ['one', 'epoch ls --limit 1001', 128, 'E_USAGE'],
      ['one', 'validators vote aa', 4, 'E_MOTION_UNKNOWN'],
      ['one', 'validators vote Z', 128, 'E_USAGE'],
      ['one', 'validators move policy speed=1', 128, 'E_USAGE'],
      ['one', 'validators move operator --name X --cell x --weight 1 --member nobody', 3, 'E_PEER_ID_INVALID'],
      ['one', 'validators move remove-operator nowhere', 4, 'E_MOTION_REFUSED'],
      ['light', 'validators move remove-operator home', 4, 'E_NOT_VALIDATOR'],
      ['relay', 'validators move remove-operator home', 4, 'E_NOT_VALIDATOR'],
    ]
    for (const [node, args, exit, code] of cases)
      expect(await refused(node, args.split(' ')), args).to.include({ exit, code, stdout: '' })
  })

  it('shows both full nodes as members once the cell has attested the second; an operator that is alone votes by one', async () => {
    const who = await eventually('two is a member', async () => {
      const document = await stage.json<ValidatorsDocument>('light', ['validators'])
      return document.operators[0]!.members.length === 2 && document
    })
    const [{ cell, weight, members }] = who.operators as [ValidatorsDocument['operators'][number]]
    expect([cell, weight, members.filter(({ power }) => power > 0).length]).to.deep.equal(['home', 1, 1])
    expect(await stage.did('one', ['validators'])).to.match(/ one \(this\) +yes +100.0 % /)
    expect(await refused('two', ['validators', 'move', 'policy', 'doubleVote=note'])).to.include({
      exit: 4,
      code: 'E_NOT_VALIDATOR',
    })
  })

  it('lets another operator in, whose first node then votes and begins a cell of its own', async () => {
    const invite = ['invite', '--role', 'full', '--cell', 'beta', '--rights', 'issue', 'found', '-q']
    await stage.did('beta', ['join', (await stage.did('one', invite)).trim(), '--name', 'beta', '--profile', 'test'])
    await start('beta')
    const operator = ['operator', '--name', 'Beta', '--cell', 'beta', '--weight', '1', '--member', 'beta']
    const moved = await stage.json<MotionDocument>('one', ['validators', 'move', ...operator])
    expect(moved).to.include({ state: 'carried', yes: 1 })
    const status = await eventually('it votes, and leads its cell', async () => {
      const seen = await document<StatusDocument>(stage.path('beta'), 'status')
      return seen?.chain?.role === 'validator' && seen.cells[0]?.leader === 'beta' && seen
    })
    expect(status.operators.total).to.equal(2)
    const { members, total } = await eventually('all three vote', async () => {
      const { operators, total } = await stage.json<ValidatorsDocument>('light', ['validators'])
      const members = operators.flatMap((operator) => operator.members).filter(({ power }) => power > 0)
      return members.length === 3 && { members, total }
    })
    expect(members.find(({ peerId }) => peerId === status.peerId)!.power).to.equal(total / 2)
  })

  it('changes the policy when more than two thirds of the power vote for it, and not before', async () => {
    const moved = await stage.json<MotionDocument>('one', ['validators', 'move', 'policy', 'doubleVote=note'])
    expect(moved).to.include({ state: 'open', yes: 0.25 })
    for (const name of ['two', 'beta'])
      await eventually(`${name} knows of it`, async () =>
        (await stage.did(name, ['validators', 'motions'])).includes(moved.id.slice(0, 12)),
      )
    const id = moved.id.slice(0, 6)
    expect(await stage.json('two', ['validators', 'vote', id])).to.include({ state: 'open', yes: 0.5 })
    await eventually('beta has both votes', async () =>
      (await stage.json<{ motions: MotionDocument[] }>('beta', ['validators', 'motions'])).motions.some(
        (motion) => motion.id === moved.id && motion.yes === 0.5,
      ),
    )
    expect(await stage.json('beta', ['validators', 'vote', id])).to.include({ state: 'carried', yes: 1 })
    await eventually('it holds', async () => {
      return (await stage.json<ValidatorsDocument>('light', ['validators'])).policy.doubleVote === 'note'
    })
  })

  it('is asked for over the mesh: who does not answer, is a row with its error', async () => {
    await running.get('light')!.stop()
    const answers = rows<QueryRow>(await stage.did('one', ['query', 'epochs', '--all', '--limit', '2', '--json']))
    const of = (name: string) => answers.filter((row) => row.name === name)
    for (const name of ['one', 'two', 'relay']) expect(of(name), name).to.have.length(2)
    expect(of('two')[0]!.data).to.include.keys('height', 'cid', 't')
    for (const row of of('light')) expect(row.error?.code).to.be.a('string')
    expect(await stage.did('two', ['query', 'epochs', '--peer', (await idOf('one')).peerId])).to.match(/\none +\d+ +20/)
  })

  it('is in metrics, events and the findings of doctor', async () => {
    const { findings } = JSON.parse((await stage.kairos('one', ['doctor', '--json'])).stdout) as { findings: Finding[] }
    const of = (check: string) => findings.find((finding) => finding.check === check)
    expect(of('record')).to.deep.include({ ok: true })
    expect(of('record operators')?.remedy).to.contain('validators move operator')
    const asked = await request('one', '/metrics')
    expect(Number(/^kairos_mesh_height_count (\d+)$/m.exec(asked)?.[1])).to.be.greaterThan(2)
    expect(asked).to.match(/^kairos_mesh_finality_duration_seconds_count [1-9]/m)
    expect(await until('one', '/api/v1/events?cursor=0', 'event: epoch')).to.match(/"reports":\d+,"t":\[/)
  })

  it('goes on after a restart, where it had got to', async () => {
    const { height } = (await chainOf('one'))!
    for (const name of ['one', 'two']) await running.get(name)!.stop('SIGKILL')
    for (const name of ['one', 'two']) await start(name)
    await atHeight('one', height + 1)
    expect((await stage.json<EpochDocument>('two', ['epoch', 'show', '2'])).height).to.equal(2)
  })

  it('says so with 5 while too few validators are there, and goes on when they are back', async () => {
    await running.get('beta')!.stop('SIGKILL')
    const { reasons } = await eventually('it is not ready', async () => {
      const status = await document<StatusDocument>(stage.path('one'), 'status')
      return status?.ready === false && status.chain?.problem != null && status
    })
    expect(reasons.join()).to.match(/the mesh's record: .*beta.* \(E_MESH_NO_QUORUM\)/)
    for (const verb of ['status', 'doctor']) expect((await stage.kairos('one', [verb])).code, verb).to.equal(5)
    const { height } = (await chainOf('one'))!
    await start('beta')
    await atHeight('one', height + 1)
    await eventually('it is ready', async () => (await stage.kairos('one', ['status'])).code === 0)
  })

  const idOf = async (name: string) => (await document<{ peerId: string; meshId: string }>(stage.path(name), 'id'))!
  const request = async (name: string, page: string) => (await answer(name, page)).text()
  /** What of an answer that does not end comes up to a line, and that line's document. */
  const until = async (name: string, page: string, line: string) => {
    const { body } = await answer(name, page)
    let text = ''
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (text.slice(text.indexOf(line)).includes('\n\n') && text.includes(line)) break
    }
    return text.slice(text.indexOf(line))
  }
  const answer = async (name: string, page: string) => {
    const [api, token] = await Promise.all(
      ['api', 'api.token'].map((file) => readFile(stage.path(name, file), 'utf8').then((text) => text.trim())),
    )
    return fetch(`${api}${page}`, { headers: { authorization: `Bearer ${token}` } })
  }
})
