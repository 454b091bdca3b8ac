import { expect } from 'chai'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chainText, epochsText, epochText, point } from '../../../node/cli/epoch-text.ts'
import { queryHeader, queryLine } from '../../../node/cli/query-rows.ts'
import { fakeOperations } from '../../helpers/fake-operations.ts'
import { CHAIN, EPOCH, EPOCH_ROW } from '../../helpers/fake-record.ts'
import { documents, verbStarter } from '../../helpers/verb-starter.ts'

describe('the record in text', () => {
  it('is one line of status: height, T_global, finality, who votes, and what it rests on', () => {
    expect(chainText(CHAIN)).to.equal(
      'epoch 1234 of 2026-01-01T00:00:00.000Z, T_global agreed |T|² 0.850, final after 52 ms (p99 110 ms) ' +
        '(one of 6 validators; rests on the genesis)',
    )
  })

  it('says what is not as it should be', () => {
    const problem = { code: 'E_NO_QUORUM', message: 'validators are missing' }
    const text = chainText({ ...CHAIN, role: 'follower', behind: 12, trust: 'checkpoint', collapsed: true, problem })
    expect(text).to.match(/\|T\|² 0.850, collapsed, .* 12 behind \(follows 6 validators; rests on the checkpoint\)/)
    expect(text).to.match(/; validators are missing \(E_NO_QUORUM\)$/)
  })

  it('before the first epoch says so, without a value that there is not', () => {
    const none = { height: 0, time: null, t: null, magnitudeSquared: null, collapsed: null, finalizedMs: null }
    expect(chainText({ ...CHAIN, ...none, validators: 1 })).to.match(/^no epoch is final yet \(the only validator;/)
  })

  it('lists epochs with who proposed them by name, else by peer id', () => {
    const [head, first, second] = epochsText([
      EPOCH_ROW,
      { ...EPOCH_ROW, height: 9, proposerName: '', collapsed: true },
    ]).split('\n')
    expect(head).to.match(/^HEIGHT +TIME +ROUND +PROPOSER +REPORTS +\|T\|² +STATE +CHANGES +EVIDENCE +CID$/)
    expect(first).to.match(/^ +1234 .* 0 +alpha-1 +2 +0.850 +open +1 +0 +bafy/)
    expect(second).to.contain(EPOCH_ROW.proposer).and.contain('collapsed')
  })

  it('shows of one epoch who signed and which reports counted, attestations, changes and evidence', () => {
    const text = epochText(EPOCH)
    expect(text).to.match(/^T_global: +0.6000 \+ 0.7000i, \|T\|² 0.850$/m)
    expect(text).to.contain('Signed by 66.7 % of the power, in round 0:')
    expect(text).to.contain('Reports of epoch 1233 (100 % of the weight reports, 50 % agrees):')
    expect(text).to.match(/^beta-1 +beta +0.890 +no$/m)
    expect(text).to.match(/^attested: +cell alpha, epoch 1230, state bafy\w+, no T_cell; revokes 12D3KooW\w+$/m)
    expect(text).to.match(/^voted: +yes to 7f3a/m)
    expect(text).to.match(/^evidence: +12D3KooW\w+ contradicted itself at 1200 \(votes\)$/m)
    expect(epochText({ ...EPOCH, reportRows: [] })).to.not.contain('Reports of')
  })

  it('lets no control character of a name through', () => {
    const evil = 'a\u001b[2J'
    const text =
      epochsText([{ ...EPOCH_ROW, proposerName: evil }]) +
      epochText({ ...EPOCH, proposerName: evil, governanceRows: [{ by: evil, kind: 'move', text: evil }] })
    expect(text).to.not.contain('\u001b')
  })

  it('writes a point of the disc with the sign of its imaginary part', () => {
    expect([point([0.5, -0.25]), point([-1, 0])]).to.deep.equal(['0.5000 - 0.2500i', '-1.0000 + 0.0000i'])
  })

  it('of other nodes is a line each, whatever they say', () => {
    expect(queryHeader('epochs')).to.match(/^NODE +HEIGHT +TIME +ROUND +\|T\|² +STATE +CID$/)
    const row = { peerId: EPOCH_ROW.proposer, name: 'beta-1' }
    expect(queryLine('epochs', { ...row, data: EPOCH_ROW })).to.match(/^beta-1 +1234 +2026-\S+ +0 +0.850 open +bafy/)
    expect(queryLine('epochs', { ...row, data: { height: 'x\u001b', collapsed: 7 } })).to.not.contain('\u001b')
  })
})

describe('verbs of the record', () => {
  const start = verbStarter()
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kairos-epoch-'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  const json = { flags: { json: true as const } }

  it('list epochs in a table, and one document a line under --json', async () => {
    const { run, calls } = await start()
    expect((await run('epoch ls')).stdout).to.match(/^HEIGHT/)
    expect(
      documents((await run('epoch ls --from 7 --limit 2', json)).stdout).map(({ height }) => height),
    ).to.deep.equal([7, 8])
    expect(calls).to.deep.equal(['mesh.epochs - 20', 'mesh.epochs 7 2'])
  })

  it('show the newest epoch, or the one that is named', async () => {
    const { run, calls } = await start()
    expect((await run('epoch show')).stdout).to.match(/^epoch: +1234, bafy/)
    expect((await run('epoch show 7')).stdout).to.match(/^epoch: +7, bafy/)
    expect((await run('epoch show latest')).stdout).to.match(/^epoch: +1234, bafy/)
    expect(calls).to.deep.equal(['mesh.epoch latest', 'mesh.epoch 7', 'mesh.epoch latest'])
  })

  it('export into a file, whole, and never over one that is there', async () => {
    const { run } = await start()
    const file = join(folder, 'epoch')
    expect((await run(`epoch export 7 -o ${file}`)).stdout).to.equal(`saved to ${file}\n`)
    expect(await readFile(file, 'utf8')).to.equal('an epoch')
    await writeFile(file, 'mine')
    expect((await run(`epoch export 7 -o ${file}`)).code).to.equal('E_EXISTS')
    expect([await readFile(file, 'utf8'), await readdir(folder)]).to.deep.equal(['mine', ['epoch']])
  })

  it('export to stdout where that is no terminal, and only there', async () => {
    const { run, calls } = await start()
    expect((await run('epoch export latest --from 7')).stdout).to.equal('an epoch')
    expect(calls).to.deep.equal(['mesh.export latest from 7'])
    const shown = await run('epoch export latest', { terminal: true })
    expect([shown.code, shown.stdout]).to.deep.equal(['E_USAGE', ''])
  })

  it('leave no file of an epoch that there is not', async () => {
    const { run } = await start()
    expect((await run(`epoch export 9999 -o ${join(folder, 'epoch')}`)).code).to.equal('E_EPOCH_UNKNOWN')
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('refuse what is no height', async () => {
    const { run, calls } = await start()
    for (const line of ['epoch show x', 'epoch show 0', 'epoch export -1', 'epoch export 1.5', 'epoch ls --limit 1001'])
      expect((await run(line)).code, line).to.match(/^commander\./)
    expect(calls).to.deep.equal([])
  })

  it('say so where there is no epoch to list', async () => {
    const { run } = await start({ mesh: { ...fakeOperations().mesh, epochs: async function* () {} } })
    expect((await run('epoch ls --from 9999')).stderr).to.equal('no epoch from 9999 on is final yet\n')
    expect(await run('epoch ls', json)).to.include({ stdout: '', stderr: 'no epoch is final yet\n' })
  })

  it('show the record in status', async () => {
    const { run } = await start()
    expect((await run('status')).stdout).to.match(/^record: +epoch 1234 of /m)
  })
})
