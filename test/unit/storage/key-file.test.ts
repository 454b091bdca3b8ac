import { expect } from 'chai'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { createNodeKey, formatNodeKey, loadNodeKey, parseNodeKey } from '../../../node/storage/key-file.ts'
import { refused } from './refused.ts'

describe('node key', () => {
  let file: string
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kairos-key-'))
    file = join(directory, 'node.key')
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('is made once, private, and read back', async () => {
    const key = await createNodeKey(file)
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    const again = await loadNodeKey(file)
    expect(again.equals(key)).to.equal(true)
    expect(again.publicKey.toString()).to.match(/^12D3Koo/)
    expect((await refused(createNodeKey(file))).code).to.equal('E_KEY_EXISTS')
    expect((await loadNodeKey(file)).equals(key)).to.equal(true)
  })

  it('signs like any libp2p key', async () => {
    const key = await createNodeKey(file)
    const message = Buffer.from('m')
    expect(await key.publicKey.verify(message, await key.sign(message))).to.equal(true)
  })

  it('is exported as the text of its file', async () => {
    const key = await createNodeKey(file)
    const text = formatNodeKey(key)
    expect(text).to.equal(await readFile(file, 'utf8'))
    expect(parseNodeKey(text, 'export').equals(key)).to.equal(true)
  })

  it('is not printed by accident', async () => {
    await createNodeKey(file)
    const key = await loadNodeKey(file)
    const secret = Buffer.from(key.raw.subarray(0, 32))
    const shown = [
      inspect(key, { depth: 9, showHidden: false }),
      JSON.stringify({ key }),
      inspect({ nested: { key } }),
      `${{ ...key }}`,
    ]
    for (const text of shown) {
      expect(text).not.to.contain(secret.toString('hex'))
      expect(text).not.to.contain(secret.toString('base64'))
      expect(text).not.to.match(/Uint8Array|raw/)
    }
    expect(JSON.stringify(key)).to.contain(key.publicKey.toString())
  })

  it('missing: says to init', async () => {
    expect(await refused(loadNodeKey(file))).to.include({ code: 'E_KEY_MISSING', hint: 'kairos init makes one' })
  })

  it('readable by others: refused', async () => {
    await createNodeKey(file)
    await chmod(file, 0o644)
    expect((await refused(loadNodeKey(file))).code).to.equal('E_MODE_TOO_WIDE')
  })

  it('damaged, empty or of another kind: refused without showing what is in it', async () => {
    const key = await createNodeKey(file)
    const body = formatNodeKey(key).split('\n')[1] ?? ''
    for (const text of [
      '',
      'nonsense!',
      body.slice(0, -8),
      `${body.slice(0, 20)}*${body.slice(21)}`,
      '# only a comment\n',
    ]) {
      await writeFile(file, text)
      const error = await refused(loadNodeKey(file))
      expect(error.code).to.equal('E_KEY_INVALID')
      expect(error.message + String(error.cause ?? '')).not.to.contain(body.slice(4, 16))
    }
  })
})
