import { expect } from 'chai'
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolvePaths, type Paths } from '../../../node/config/paths.ts'
import { createToken, readApiFiles, removeApiFiles, writeApiFiles } from '../../../node/storage/api-file.ts'
import { refused } from './refused.ts'

describe('api files', () => {
  let paths: Paths
  beforeEach(async () => (paths = resolvePaths({ path: await mkdtemp(join(tmpdir(), 'kairos-api-')) })))
  afterEach(() => rm(paths.root, { recursive: true }))

  it('give a client the address and the token while the node runs', async () => {
    const access = { url: 'http://127.0.0.1:3333', token: createToken() }
    await writeApiFiles(paths, access)
    expect(await readApiFiles(paths)).to.deep.equal(access)
    expect((await stat(paths.apiToken)).mode & 0o777).to.equal(0o600)
    await removeApiFiles(paths)
    await removeApiFiles(paths)
    expect((await refused(readApiFiles(paths))).code).to.equal('E_NODE_NOT_RUNNING')
  })

  it('refuse a token that others can read', async () => {
    await writeApiFiles(paths, { url: 'http://127.0.0.1:1', token: createToken() })
    await chmod(paths.apiToken, 0o644)
    expect(await refused(readApiFiles(paths))).to.include({ code: 'E_MODE_TOO_WIDE' })
  })

  it('tokens are 256 bits and differ', () => {
    expect(createToken()).to.match(/^[\w-]{43}$/)
    expect(createToken()).not.to.equal(createToken())
  })
})
