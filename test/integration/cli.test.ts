import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { CodedError } from '../../protocols/shared/errors.ts'
import { FAKE_CID, FAKE_TEXT } from '../helpers/fake-operations.ts'
import { ended, kairos, startKairos, type Ended } from '../helpers/kairos.ts'
import { fakeNode, temporaryDirectory, writeApi } from '../helpers/node-directory.ts'

const OLD_NODE = '/usr/bin/node'

/** The document on stderr, which is the only thing there. */
const errorOf = ({ stderr }: Ended) => JSON.parse(stderr) as { error: { code: string; message: string; hint?: string } }

describe('command line', function () {
  this.timeout(30_000)
  const cleanups: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })
  const node = async (...overrides: Parameters<typeof fakeNode>) => {
    const started = await fakeNode(...overrides)
    cleanups.push(started.stop)
    return started
  }
  const directory = async () => {
    const made = await temporaryDirectory()
    cleanups.push(made.remove)
    return made.path
  }

  describe('exit codes', () => {
    it('0: done', async () => {
      const { code, stdout, stderr } = await kairos(['version', '--json'])
      expect([code, stderr]).to.deep.equal([0, ''])
      expect(JSON.parse(stdout)).to.have.property('node', process.versions.node)
    })

    it('1: an error that has no code of its own', async () => {
      const { path } = await node({ status: () => Promise.reject(new Error('boom')) })
      const result = await kairos(['status', '--json', '--path', path])
      expect([result.code, errorOf(result).error.code, result.stdout]).to.deep.equal([1, 'E_INTERNAL', ''])
    })

    it('2: no node runs, or none answers', async () => {
      const path = await directory()
      const missing = await kairos(['id', '--json', '--path', path])
      expect([missing.code, errorOf(missing).error.code]).to.deep.equal([2, 'E_NODE_NOT_RUNNING'])
      await writeApi(path, 'http://127.0.0.1:1')
      const silent = await kairos(['id', '--json', '--path', path])
      expect([silent.code, errorOf(silent).error.code]).to.deep.equal([2, 'E_NODE_UNREACHABLE'])
    })

    it('3: invalid input', async () => {
      const { path } = await node()
      const content = await kairos(['ls', 'nonsense', '--json', '--path', path])
      expect([content.code, errorOf(content).error.code]).to.deep.equal([3, 'E_CID_INVALID'])
      await writeFile(join(path, 'config.yaml'), 'api:\n  prot: 1\n', { mode: 0o600 })
      const config = await kairos(['config', 'validate', '--json', '--path', path])
      expect([config.code, errorOf(config).error.code]).to.deep.equal([3, 'E_CONFIG_UNKNOWN_KEY'])
      expect(errorOf(config).error.hint).to.contain('api.port')
    })

    it('4: refused or not found', async () => {
      const { path } = await node()
      expect((await kairos(['cat', `${FAKE_CID}/missing`, '--path', path])).code).to.equal(4)
      const target = join(path, 'there')
      await writeFile(target, 'mine')
      const result = await kairos(['get', FAKE_CID, '-o', target, '--json', '--path', path])
      expect([result.code, errorOf(result).error.code]).to.deep.equal([4, 'E_EXISTS'])
      expect(await readFile(target, 'utf8')).to.equal('mine')
    })

    it('5: unhealthy', async () => {
      const status = await (await import('../helpers/fake-operations.ts')).fakeOperations().status()
      const { path } = await node({ status: async () => ({ ...status, ready: false, reasons: ['no peer'] }) })
      const result = await kairos(['status', '--path', path])
      expect(result.code).to.equal(5)
      expect(result.stdout).to.match(/ready: +no: no peer/)
    })

    it('6: a directory that cannot be made', async () => {
      const result = await kairos(['init', '--json', '--path', '/dev/null/kairos'])
      expect([result.code, errorOf(result).error.code]).to.deep.equal([6, 'E_STORAGE_UNWRITABLE'])
    })

    it('7: the time is over', async () => {
      const { path } = await node({ status: () => new Promise(() => undefined) })
      const result = await kairos(['status', '--timeout', '300ms', '--json', '--path', path])
      expect([result.code, errorOf(result).error.code]).to.deep.equal([7, 'E_TIMEOUT'])
    })

    it('8: a token that is none', async () => {
      const { path, url } = await node()
      const denied = await kairos(['id', '--api', url, '--token', 'wrong', '--json'])
      expect([denied.code, errorOf(denied).error.code]).to.deep.equal([8, 'E_UNAUTHORIZED'])
      await chmod(join(path, 'api.token'), 0o644)
      const loose = await kairos(['id', '--json', '--path', path])
      expect([loose.code, errorOf(loose).error.code]).to.deep.equal([8, 'E_MODE_TOO_WIDE'])
    })

    for (const [what, args, hint] of [
      ['an unknown verb, with the nearest one', ['verzion'], /Did you mean version/],
      ['an unknown flag, with the nearest one', ['status', '--wtach'], /Did you mean --watch/],
      ['an unknown verb below another', ['pin', 'lss'], /Did you mean ls/],
      ['an unknown verb below another that has one of its own', ['peers', 'pnig'], /^`kairos peers` has ls, ping/],
      ['an argument for one that takes none', ['peers', 'ls', 'me'], /kairos peers ls --help/],
      ['a verb after an option of another', ['epoch', '--limit', '3', 'show'], /kairos epoch show --help/],
      ['a missing argument', ['cat'], /kairos help/],
      ['too many arguments', ['id', 'me'], /kairos help/],
      ['a value that is no choice', ['init', '--role', 'king'], /kairos help/],
      ['a duration that is none', ['status', '--timeout', 'soon'], /kairos help/],
      ['no verb', [], /kairos help/],
    ] as const)
      it(`128: ${what}`, async () => {
        const result = await kairos([...args, '--json'])
        expect([result.code, errorOf(result).error.code, result.stdout]).to.deep.equal([128, 'E_USAGE', ''])
        expect(errorOf(result).error.hint).to.match(hint)
      })

    it('130: interrupted', async () => {
      const { path } = await node()
      const child = startKairos(['status', '--watch', '--json', '--path', path])
      const end = ended(child)
      await once(child.stdout, 'data')
      child.kill('SIGINT')
      expect((await end).code).to.equal(130)
    })
  })

  describe('errors for people', () => {
    it('say what happened and what to do, on stderr, without a stack', async () => {
      const { code, stdout, stderr } = await kairos(['id', '--path', await directory()])
      expect([code, stdout]).to.deep.equal([2, ''])
      expect(stderr).to.match(/^error E_NODE_NOT_RUNNING: .*\n {2}start one with kairos run.*\n$/)
    })

    it('show the stack with --debug', async () => {
      expect((await kairos(['id', '--debug', '--path', await directory()])).stderr).to.match(/\n {4}at /)
    })

    it('are colourless where no terminal is', async () => {
      expect((await kairos(['bogus'])).stderr).not.to.contain('\u001b')
    })
  })

  describe('content', () => {
    it('adds files, trees and stdin, and leaves out what is hidden', async () => {
      const { path, operations } = await node()
      const docs = join(path, 'docs')
      await mkdir(join(docs, 'deep'), { recursive: true })
      await writeFile(join(docs, 'deep', 'a.txt'), 'x'.repeat(2_000_000))
      await writeFile(join(docs, '.hidden'), 'y')
      await symlink('/etc/passwd', join(docs, 'link'))
      const result = await kairos(['add', '-r', docs, '--path', path])
      expect([result.code, operations.calls]).to.deep.equal([
        0,
        ['add docs/ 0', 'add docs/deep/ 0', 'add docs/deep/a.txt 2000000'],
      ])
      expect(result.stderr).to.match(/left out: .*link is a symbolic link/)
      const quiet = await kairos(['add', '-Q', '--name', 'n', '-', '--path', path], { input: 'hello' })
      expect([quiet.stdout, operations.calls.at(-1)]).to.deep.equal([`${FAKE_CID}\n`, 'add n 5'])
      expect(errorOf(await kairos(['add', docs, '--json', '--path', path])).error.code).to.equal('E_PATH_KIND')
      expect((await kairos(['add', join(path, 'nothing'), '--path', path])).code).to.equal(6)
    })

    it('says why the node refused an upload', async () => {
      const { path, url } = await node()
      await writeFile(join(path, 'large'), new Uint8Array(5_000_000))
      const result = await kairos(['add', join(path, 'large'), '--json', '--api', url, '--token', 'wrong'])
      expect([result.code, errorOf(result).error.code]).to.deep.equal([8, 'E_UNAUTHORIZED'])
    })

    it('writes a file to stdout byte by byte, and a tree to disk', async () => {
      const { path } = await node()
      expect((await kairos(['cat', FAKE_CID, '--path', path])).stdout).to.equal(FAKE_TEXT)
      expect((await kairos(['get', FAKE_CID, '-o', 'out', '--path', path], { cwd: path })).code).to.equal(0)
      expect(await readFile(join(path, 'out/docs/hello.txt'), 'utf8')).to.equal(FAKE_TEXT)
      expect((await kairos(['get', FAKE_CID, '--car', '-o', 'out.car', '--path', path], { cwd: path })).code).to.equal(
        0,
      )
      expect(await readFile(join(path, 'out.car'), 'utf8')).to.equal(FAKE_TEXT)
    })

    it('leaves nothing behind when a tree does not come whole', async () => {
      const { fakeOperations } = await import('../helpers/fake-operations.ts')
      const { path } = await node({
        content: {
          ...fakeOperations().content,
          async *walk() {
            yield { path: '', cid: FAKE_CID, type: 'directory', size: 0 }
            throw new CodedError('E_CONTENT_NOT_FOUND', 'nobody sent it')
          },
        },
      })
      const result = await kairos(['get', FAKE_CID, '-o', 'out', '--json', '--path', path], { cwd: path })
      expect([result.code, errorOf(result).error.code]).to.deep.equal([4, 'E_CONTENT_NOT_FOUND'])
      expect((await readdir(path)).sort()).to.deep.equal(['api', 'api.token'])
    })
  })

  it('makes text of peers harmless for a terminal', async () => {
    const { fakeOperations } = await import('../helpers/fake-operations.ts')
    const [peer] = await fakeOperations().peers()
    const { path } = await node({ peers: async () => [{ ...peer!, name: '\u001b]0;owned\u0007evil\nline' }] })
    const { stdout } = await kairos(['peers', '--path', path])
    expect(stdout).to.contain('evil').and.not.contain('\u001b')
    expect(stdout.trim().split('\n')).to.have.length(2)
  })

  it('takes KAIROS_ variables, and a flag before a variable', async () => {
    const { path } = await node()
    const env = { KAIROS_PATH: path, KAIROS_JSON: '1' }
    expect(JSON.parse((await kairos(['id'], { env })).stdout)).to.have.property('name', 'fake')
    expect((await kairos(['id', '--path', await directory()], { env })).code).to.equal(2)
  })

  it('ends quietly when the reader of a pipe has enough', () => {
    const output = execFileSync('sh', ['-c', `"${process.execPath}" node/bin.js completion bash | head -n 1`])
    expect(String(output)).to.match(/^# Completion/)
  })

  describe('doctor', () => {
    it('finds a key that others may read, and says what to do; 5', async () => {
      const path = await directory()
      expect((await kairos(['init', '--profile', 'test', '--path', path])).code).to.equal(0)
      expect((await kairos(['doctor', '--path', path])).code).to.equal(0)
      await chmod(join(path, 'node.key'), 0o644)
      const { code, stdout } = await kairos(['doctor', '--json', '--path', path])
      const { healthy, findings } = JSON.parse(stdout) as { healthy: boolean; findings: Record<string, unknown>[] }
      expect([code, healthy]).to.deep.equal([5, false])
      expect(findings.find(({ check }) => check === 'key')?.['remedy']).to.match(/^chmod 0600/)
      expect(findings.filter(({ ok, remedy }) => ok === false && remedy === undefined)).to.deep.equal([])
    })

    it('writes a bundle in which no byte of a secret is', async () => {
      const { path } = await node()
      const secret = 'ab'.repeat(32)
      await kairos(['init', '--profile', 'test', '--path', path])
      await kairos(['config', 'set', 'signal.reference', 'keyed', '--path', path])
      const config = join(path, 'config.yaml')
      await writeFile(
        config,
        `${await readFile(config, 'utf8')}\n`.replace('reference: keyed', `reference: keyed\n  key: "${secret}"`),
      )
      const file = join(path, 'bundle.json')
      const result = await kairos(['doctor', '--bundle', file, '--path', path])
      expect(result.code, result.stdout).to.be.oneOf([0, 5])
      const bundle = await readFile(file, 'utf8')
      const keyText = (await readFile(join(path, 'node.key'), 'utf8'))
        .split('\n')
        .filter((line) => !line.startsWith('#'))
        .join('')
      const { raw } = privateKeyFromProtobuf(Buffer.from(keyText, 'base64'))
      const seed = Buffer.from(raw.subarray(0, 32))
      const token = (await readFile(join(path, 'api.token'), 'utf8')).trim()
      for (const spelled of [
        keyText,
        seed.toString('hex'),
        seed.toString('base64').slice(0, 40),
        seed.toString('base64url'),
        secret,
        token,
      ])
        expect(bundle).not.to.contain(spelled)
      expect(JSON.parse(bundle)).to.include.keys('findings', 'config', 'status', 'metrics', 'log', 'peers', 'coherence')
      expect(JSON.parse(bundle)).to.have.nested.property('config.signal.key', '(hidden)')
    })
  })

  describe('under an older Node', () => {
    before(function () {
      const version = major(OLD_NODE)
      if (version === undefined || version >= 22) this.skip()
    })

    it('goes on with the Node that came along, and passes arguments and exit code', async () => {
      const { stdout } = await kairos(['version', '--json'], { node: OLD_NODE })
      expect(Number.parseInt((JSON.parse(stdout) as { node: string }).node, 10)).to.be.at.least(24)
      expect((await kairos(['bogus'], { node: OLD_NODE })).code).to.equal(128)
    })

    it('passes signals on', async () => {
      const { path } = await node()
      const child = startKairos(['status', '--watch', '--json', '--path', path], { node: OLD_NODE })
      const end = ended(child)
      await once(child.stdout, 'data')
      child.kill('SIGINT')
      expect((await end).code).to.equal(130)
    })
  })
})

function major(path: string): number | undefined {
  try {
    return Number.parseInt(String(execFileSync(path, ['--version'])).slice(1), 10)
  } catch {
    return undefined
  }
}
