import { expect } from 'chai'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { exitCodeOf } from '../../../node/errors.ts'
import { FAKE_CID, fakeOperations } from '../../helpers/fake-operations.ts'
import { statusDocument } from '../../helpers/fake-pins.ts'
import { documents, verbStarter } from '../../helpers/verb-starter.ts'

const json = { flags: { json: true as const } }
const quiet = { flags: { quiet: true as const } }

describe('verbs of pins', () => {
  const start = verbStarter()
  const failing = (code: string) => {
    const fail = () => Promise.reject(new CodedError(code, 'so it is'))
    return start({ pins: { ...fakeOperations().pins, add: fail, remove: fail, get: fail, status: fail } })
  }
  describe('pin add', () => {
    it('says all that its flags say, in the units of the API', async () => {
      const { run, calls } = await start()
      const { code } = await run(
        `pin add ${FAKE_CID} --name n --mode direct --rmin 1 --rmax -1 --allocations a,b --expire-in 30d ` +
          '--metadata k=v --metadata l=a=b --origins /ip4/1.2.3.4/tcp/1 --priority 7',
      )
      expect(code).to.equal(undefined)
      const options = JSON.parse(calls[0]!.split(' ').slice(2).join(' ')) as unknown
      expect(options).to.deep.equal({
        name: 'n',
        mode: 'direct',
        replicationMin: 1,
        replicationMax: -1,
        allocations: ['a', 'b'],
        expiresInSeconds: 2_592_000,
        metadata: { k: 'v', l: 'a=b' },
        origins: ['/ip4/1.2.3.4/tcp/1'],
        priority: 7,
      })
    })

    it('takes --replication for both bounds, unless one of them is given', async () => {
      const { run, calls } = await start()
      await run(`pin add ${FAKE_CID} --replication 2 --rmax 3`)
      expect(calls).to.deep.equal([`pins.add "${FAKE_CID}" {"replicationMin":2,"replicationMax":3}`])
    })

    it('--local keeps it on a light node alone', async () => {
      const { run, calls } = await start()
      await run(`pin add ${FAKE_CID} --local --name n`)
      expect(calls).to.deep.equal([`pins.add "${FAKE_CID}" {"name":"n","local":true}`])
    })

    it('waits as soon as a bound of waiting is given', async () => {
      const { run, calls } = await start()
      const { stdout } = await run(`pin add ${FAKE_CID} --wait-limit 2 --wait-timeout 1.5m`)
      expect(calls).to.deep.equal([`pins.addAndWait "${FAKE_CID}" {} {"copies":2,"timeoutMs":90000}`])
      expect(stdout).to.match(/: 2 pinned, wanted 2 to 3\n/)
      expect((await run(`pin add ${FAKE_CID} --wait`, quiet)).stdout).to.equal(`${FAKE_CID}\n`)
    })

    it('shows progress on a terminal alone, and each status as a row under --json', async () => {
      const { run } = await start()
      const line = `pin add ${FAKE_CID} --wait`
      expect((await run(line, { columns: 80 })).stderr).to.contain(
        '1 of 2 copies held; alpha-2 40 % of 100 MiB, 1.0 MiB/s',
      )
      expect((await run(line)).stderr).to.equal('')
      const rows = await run(line, { ...json, columns: 80 })
      expect([documents(rows.stdout).map(({ pinned }) => pinned), rows.stderr]).to.deep.equal([[1, 2], ''])
    })

    it('shows how it stands when waiting took too long', async () => {
      const { run } = await start({
        pins: {
          ...fakeOperations().pins,
          async *addAndWait() {
            yield statusDocument()
            throw new CodedError('E_TIMEOUT', 'too long')
          },
        },
      })
      const { code, stdout } = await run(`pin add ${FAKE_CID} --wait-timeout 1s`)
      expect([code, exitCodeOf(code!)]).to.deep.equal(['E_TIMEOUT', 7])
      expect(stdout).to.contain('alpha-2: no more of it comes (nobody sends it)')
    })

    for (const flags of [
      '--rmin 0',
      '--rmin two',
      '--replication -2',
      '--expire-in 2w',
      '--metadata k',
      '--priority 10',
      '--mode all',
      '--wait-limit 0',
    ])
      it(`refuses ${flags} before it asks`, async () => {
        const { run, calls } = await start()
        expect((await run(`pin add ${FAKE_CID} ${flags}`)).code).to.match(/^commander\.invalid/)
        expect(calls).to.deep.equal([])
      })
  })

  for (const [code, exit] of [
    ['E_NO_QUORUM', 5],
    ['E_OUTCOME_UNKNOWN', 5],
    ['E_STATE_FULL', 4],
    ['E_NOT_IN_ROLE', 4],
    ['E_CID_INVALID', 3],
    ['E_TIMEOUT', 7],
  ] as const)
    it(`end with ${exit} where the node says ${code}`, async () => {
      const { run } = await failing(code)
      for (const verb of ['add', 'rm', 'ls', 'status'])
        expect(exitCodeOf((await run(`pin ${verb} ${FAKE_CID}`)).code!), verb).to.equal(exit)
    })

  describe('pin ls and status', () => {
    it('show a page, and say on stderr where the next one is', async () => {
      const { run, calls } = await start()
      const { stdout, stderr } = await run(
        'pin ls --name p --metadata k=v --mode direct --allocated-to a --limit 5 --order name',
      )
      expect(stdout.split('\n')).to.have.length(3)
      expect(stderr).to.equal('there are more: --after two, or --all\n')
      expect(calls).to.deep.equal([
        'pins.list {"name":"p","metadata":{"k":"v"},"mode":"direct","allocatedTo":"a"} {"limit":5,"order":"name"}',
      ])
      expect((await run('pin ls --after two')).stderr).to.equal('')
      const page = await run('pin ls', json)
      expect([JSON.parse(page.stdout).next, page.stderr]).to.deep.equal(['two', ''])
    })

    it('go on to the end with --all, under --json a row per pin', async () => {
      const { run, calls } = await start()
      const { stdout } = await run('pin ls --all')
      expect(stdout.match(/CID/g)).to.have.length(1)
      expect(stdout).to.contain('photos').and.contain('second')
      expect(documents((await run('pin ls --all', json)).stdout).map(({ name }) => name)).to.deep.equal([
        'photos',
        'second',
      ])
      expect(calls.slice(0, 2)).to.deep.equal([
        'pins.list {} {"limit":1000}',
        'pins.list {} {"limit":1000,"after":"two"}',
      ])
      expect((await run('pin status --all', quiet)).stdout).to.equal(`${FAKE_CID}\n${FAKE_CID}\n`)
    })

    it('ask for one, or for those in trouble', async () => {
      const { run, calls } = await start()
      await run(`pin ls ${FAKE_CID}`)
      await run(`pin status ${FAKE_CID} --local`)
      await run('pin ls --local')
      await run('pin status --filter pinning,pin_error --local')
      expect(calls).to.deep.equal([
        `pins.get "${FAKE_CID}"`,
        `pins.status "${FAKE_CID}" {"local":true}`,
        'pins.list {"local":true} {"limit":100}',
        'pins.statuses {"statuses":["pinning","pin_error"]} {"limit":100,"local":true}',
      ])
      expect(exitCodeOf((await run('pin status --filter bogus')).code!)).to.equal(3)
    })
  })

  it('pin rm, update, recover and plan say what was done', async () => {
    const { run, calls } = await start()
    expect((await run(`pin rm ${FAKE_CID}`)).stdout).to.equal(`unpinned ${FAKE_CID}\n`)
    expect((await run(`pin update ${FAKE_CID} ${FAKE_CID} --keep`, quiet)).stdout).to.equal(`${FAKE_CID}\n`)
    expect((await run('pin recover --local')).stdout).to.equal('2 are tried again\n')
    expect((await run('pin plan')).stdout).to.contain('lost')
    expect(calls).to.deep.equal([
      `pins.remove "${FAKE_CID}"`,
      `pins.update "${FAKE_CID}" "${FAKE_CID}" {"keep":true}`,
      'pins.recover  {"local":true}',
      'pins.plan',
    ])
  })

  describe('verify and gc', () => {
    for (const verb of [`pin verify ${FAKE_CID}`, 'repo verify']) {
      it(`${verb.split(' ')[0]} verify shows what is damaged, and ends with 5 unless that is repaired`, async () => {
        const { run } = await start()
        const found = await run(verb)
        expect(found.exitCode).to.equal(5)
        expect(found.stdout).to.equal(
          `damaged ${FAKE_CID}: its bytes do not match its hash\n2 blocks checked, 20 B: 1 is damaged or missing\n`,
        )
        const repaired = await run(`${verb} --repair`)
        expect(repaired.exitCode).to.equal(0)
        expect(repaired.stdout).to.match(/\nrepaired bafk\w+\n2 blocks checked, 20 B: all is well\n$/)
      })
    }

    it('show percent and rate on a terminal, and every row under --json', async () => {
      const { run } = await start()
      expect((await run('repo verify', { columns: 100 })).stderr).to.match(
        /50 %, 1 blocks checked, 10 B, [\d.]+ \wi?B?\/s/,
      )
      const gc = await run('repo gc', { columns: 100 })
      expect(gc.stderr).to.match(/50 %, 600 blocks examined, \d+\/s, 300 B freed/)
      expect(gc.stdout).to.equal('5 of 1200 blocks removed, 2.0 KiB freed; 2 of no pin yet, 1.0 KiB, are in use\n')
      const rows = await run('repo gc', json)
      expect(documents(rows.stdout).map(({ done }) => done)).to.deep.equal([false, true])
      expect(documents((await run('repo verify', json)).stdout).map(({ type }) => type)).to.deep.equal([
        'progress',
        'damaged',
        'end',
      ])
    })

    it('repo stat says what there is in units for people', async () => {
      const { run } = await start()
      const { stdout } = await run('repo stat')
      expect(stdout).to.match(/^used: +1\.0 MiB of 10\.0 MiB, 10 %$/m)
      expect(stdout).to.match(/^pins: +7 pinned, 1 on the way, 0 failed$/m)
    })
  })

  it('query pins asks for one pin or a page', async () => {
    const asked: unknown[] = []
    const { run } = await start({
      async *query(what, target, _signal, params) {
        asked.push({ what, target, params })
        yield { peerId: 'p', name: 'alpha-2', data: statusDocument() }
      },
    })
    const { stdout } = await run(`query pins ${FAKE_CID} --all`)
    expect(stdout).to.match(/\nalpha-2 +bafk\w+ +photos +pinned /)
    await run('query pins --limit 5 --after two')
    expect(asked).to.deep.equal([
      { what: 'pins', target: { all: true }, params: { cid: FAKE_CID } },
      { what: 'pins', target: { local: true }, params: { after: 'two', limit: 5 } },
    ])
  })

  for (const asked of [`status ${FAKE_CID}`, 'coherence --from 3', 'epochs --after two', 'pins --history 5']) {
    it(`query ${asked} is refused before it asks`, async () => {
      const { run, calls } = await start()
      expect((await run(`query ${asked}`)).code).to.equal('E_USAGE')
      expect(calls).to.deep.equal([])
    })
  }
})
