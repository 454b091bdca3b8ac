import { expect } from 'chai'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { exitCodeOf } from '../../../node/errors.ts'
import { FAKE_CID, fakeOperations } from '../../helpers/fake-operations.ts'
import { PINNED, statusDocument } from '../../helpers/fake-pins.ts'
import { documents, verbStarter } from '../../helpers/verb-starter.ts'

const json = { flags: { json: true as const } }

describe('verbs of the pinset as a file, and of adding', () => {
  let directory: string
  const start = verbStarter()
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kairos-pins-'))
  })
  after(() => rm(directory, { recursive: true }))

  describe('state', () => {
    it('goes out to stdout or a new file, and comes back from either', async () => {
      const { run, calls } = await start()
      const { stdout } = await run('state export')
      expect(documents(stdout).map(({ name }) => name)).to.deep.equal(['photos', 'films'])
      const file = join(directory, 'pins.jsonl')
      expect((await run(['state', 'export', '-o', file])).stdout).to.equal(`saved 2 pins to ${file}\n`)
      expect(await readFile(file, 'utf8')).to.equal(stdout)
      expect((await run(['state', 'export', '-o', file])).code).to.equal('E_EXISTS')
      calls.splice(0)
      expect((await run(['state', 'import', file, '--rmin', '1', '--allocations', ''])).stdout).to.equal('2 imported\n')
      expect(calls[0]).to.equal('pins.import {"replicationMin":1,"allocations":[]}')
      const piped = await run('state import -', { stdin: stdout })
      expect([piped.stdout, piped.exitCode]).to.deep.equal(['2 imported\n', 0])
    })

    it('names each line that was refused, without its control characters, and ends with 4', async () => {
      const { run } = await start()
      const file = join(directory, 'bad.jsonl')
      await writeFile(file, `{"cid":"${FAKE_CID}"}\n{"cid":"\\u001b[2J","x":1}\n`)
      const { stdout, exitCode } = await run(['state', 'import', file])
      expect(exitCode).to.equal(4)
      expect(stdout).to.match(/^line 2: �\[2J E_PARAMETER: .+\n1 imported, 1 refused\n$/)
      expect(exitCodeOf((await run(['state', 'import', join(directory, 'none')])).code!)).to.equal(6)
    })
  })

  describe('add --pin', () => {
    const add = (...flags: string[]) => ['add', join(import.meta.dirname, 'pin-files.test.ts'), ...flags]

    it('pins what it adds under the name that is given', async () => {
      const { run, calls } = await start()
      const { stdout } = await run(add('--pin', '--rmin', '1', '--rmax', '2', '--name', 'n'))
      expect(stdout).to.equal(`added ${FAKE_CID} n\npinned ${FAKE_CID} photos\n`)
      expect(calls.at(-1)).to.equal('pin {"name":"n","replicationMin":1,"replicationMax":2}')
    })

    it('tells how the copies come while it waits', async () => {
      const { run, calls } = await start()
      expect((await run(add('--pin', '--wait-timeout', '1s'))).stdout).to.contain('1 pinned, wanted 2 to 3')
      expect(calls.at(-1)).to.equal('pin {} {"timeoutMs":1000}')
      const rows = documents((await run(add('--pin', '--wait'), json)).stdout)
      expect(rows.map((row) => Object.keys(row)[0])).to.deep.equal(['path', 'status'])
    })

    it('prints the last CID alone with -Q, also when waiting took too long', async () => {
      const { run } = await start()
      expect((await run(add('--pin', '--wait', '-Q'))).stdout).to.equal(`${FAKE_CID}\n`)
      const late = await start({
        content: {
          ...fakeOperations().content,
          async *add() {
            yield { path: 'a', cid: FAKE_CID, size: 1 }
            yield { status: statusDocument({ copies: [PINNED] }) }
            throw new CodedError('E_TIMEOUT', 'too long')
          },
        },
      })
      const { stdout, code } = await late.run(add('--pin', '--wait', '-Q'))
      expect([stdout, code]).to.deep.equal([`${FAKE_CID}\n`, 'E_TIMEOUT'])
    })

    it('is needed for the flags of a pin', async () => {
      const { run, calls } = await start()
      for (const flags of [['--rmin', '2'], ['--wait'], ['--wait-limit', '1']])
        expect((await run(add(...flags))).code).to.equal('E_USAGE')
      expect(calls).to.deep.equal([])
    })
  })
})
