import { expect } from 'chai'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWhole, writeNew } from '../../../node/cli/extract.ts'
import { report } from '../../../node/cli/failure.ts'
import type { Io } from '../../../node/cli/io.ts'

describe('a failure of the file system, as a person reads it', () => {
  const told = (error: unknown, flags: object = {}) => {
    let stderr = ''
    const io = { flags, env: {}, stderr: { write: (text: string) => (stderr += text) } } as unknown as Io
    return { exit: report(io, error), stderr }
  }
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it should have failed'),
      (error: unknown) => error,
    )

  it('is one sentence with the path as it was given, and what to do', async () => {
    const { exit, stderr } = told(await failure(open('/nowhere/at/all')))
    expect(exit).to.equal(6)
    expect(stderr).to.equal(
      'error E_IO: /nowhere/at/all: no such file or directory\n  check the path: there is nothing\n',
    )
  })

  it('has the same in its document, and its stack only under --debug', async () => {
    const error = await failure(open('/nowhere/at/all'))
    expect(JSON.parse(told(error, { json: true }).stderr)).to.deep.equal({
      error: {
        code: 'E_IO',
        message: '/nowhere/at/all: no such file or directory',
        hint: 'check the path: there is nothing',
      },
    })
    expect(told(error, { debug: true }).stderr).to.contain('    at ')
  })

  it('names the folder in which a new file was wanted, and not the workshop beside it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kairos-failure-'))
    try {
      const place = join(folder, 'missing', 'file')
      const { stderr } = told(await failure(createWhole(place, (target) => writeNew(target, []))))
      expect(stderr).to.match(/^error E_IO: \S+missing: no such file or directory\n/)
      expect(await readdir(folder)).to.deep.equal([])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
