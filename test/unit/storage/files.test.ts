import { expect } from 'chai'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureDirectory, readSecretFile, writeFileDurable } from '../../../node/storage/files.ts'
import { isMissing, storageError } from '../../../node/storage/storage-error.ts'
import { refused } from './refused.ts'

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

describe('files', () => {
  let directory: string
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'kairos-files-'))))
  afterEach(() => rm(directory, { recursive: true }))

  describe('writeFileDurable', () => {
    it('replaces the whole file, private unless told, and leaves nothing beside it', async () => {
      const file = join(directory, 'f')
      await writeFileDurable(file, 'one')
      expect(await modeOf(file)).to.equal('600')
      await writeFileDurable(file, Buffer.from('two'), { mode: 0o640 })
      expect(await readFile(file, 'utf8')).to.equal('two')
      expect(await modeOf(file)).to.equal('640')
      expect(await readdir(directory)).to.deep.equal(['f'])
    })

    it('exclusive: never replaces', async () => {
      const file = join(directory, 'f')
      await writeFileDurable(file, 'one', { exclusive: true })
      const error = await refused(writeFileDurable(file, 'two', { exclusive: true }))
      expect(error.cause).to.include({ code: 'EEXIST' })
      expect(await readFile(file, 'utf8')).to.equal('one')
      expect(await readdir(directory)).to.deep.equal(['f'])
    })

    it('says which key to change when the place cannot be written', async () => {
      await writeFile(join(directory, 'file'), '')
      const error = await refused(writeFileDurable(join(directory, 'file', 'f'), 'x', { configKey: 'storage.path' }))
      expect(error.code).to.equal('E_STORAGE_UNWRITABLE')
      expect(error.hint).to.contain('storage.path in the configuration')
    })
  })

  describe('readSecretFile', () => {
    it('reads a file that only its owner can', async () => {
      const file = join(directory, 'f')
      await writeFile(file, 'secret', { mode: 0o600 })
      expect(await readSecretFile(file)).to.equal('secret')
    })

    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      it(`refuses mode ${mode.toString(8)} with the command that helps`, async () => {
        const file = join(directory, 'f')
        await writeFile(file, 'secret')
        await chmod(file, mode)
        const error = await refused(readSecretFile(file))
        expect(error).to.include({ code: 'E_MODE_TOO_WIDE', hint: `chmod 0600 '${file}'` })
        expect(error.message).to.contain(`0${mode.toString(8)}`)
      })
    }

    it('keeps the reason when there is none', async () => {
      const error = await refused(readSecretFile(join(directory, 'none')))
      expect(isMissing(error.cause)).to.equal(true)
    })
  })

  describe('ensureDirectory', () => {
    it('makes a private directory and its parents', async () => {
      const path = join(directory, 'a/b')
      await ensureDirectory(path)
      expect(await modeOf(path)).to.equal('700')
      await ensureDirectory(path)
    })

    it('refuses one that others can enter', async () => {
      const path = join(directory, 'wide')
      await mkdir(path)
      await chmod(path, 0o755)
      expect(await refused(ensureDirectory(path))).to.include({ code: 'E_MODE_TOO_WIDE', hint: `chmod 0700 '${path}'` })
    })

    it('refuses a file in its place and a place that cannot be', async () => {
      const file = join(directory, 'f')
      await writeFile(file, '')
      expect((await refused(ensureDirectory(file))).code).to.equal('E_STORAGE_UNWRITABLE')
      const error = await refused(ensureDirectory(join(file, 'below'), 'memory.storage.path'))
      expect(error.code).to.equal('E_STORAGE_UNWRITABLE')
      expect(error.hint).to.contain('memory.storage.path')
    })
  })

  it('storageError tells a full disk, an unwritable place and a broken disk apart', () => {
    const of = (code: string) => storageError(Object.assign(new Error(code), { code }), '/p', 'content.path')
    expect(of('ENOSPC').code).to.equal('E_DISK_FULL')
    expect(of('EDQUOT').hint).to.contain('content.path')
    for (const code of ['EACCES', 'EPERM', 'EROFS']) expect(of(code).code).to.equal('E_STORAGE_UNWRITABLE')
    expect(of('EIO').code).to.equal('E_STORAGE_IO')
  })
})
