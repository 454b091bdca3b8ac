import { expect } from 'chai'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ended, kairos, startKairos } from '../helpers/kairos.ts'
import { temporaryDirectory } from '../helpers/node-directory.ts'

describe('kairos run', function () {
  this.timeout(60_000)
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let path: string
  beforeEach(async () => {
    directory = await temporaryDirectory()
    path = join(directory.path, 'node')
    await kairos(['init', '--profile', 'test', '--name', 'one', '--path', path])
  })
  afterEach(() => directory.remove())

  async function run() {
    const child = startKairos(['run', '--json', '--path', path])
    const end = ended(child)
    const line = createInterface({ input: child.stdout })
    const [text] = (await Promise.race([once(line, 'line'), end.then(({ stderr }) => expect.fail(stderr))])) as [string]
    return { child, end, ready: JSON.parse(text) as { ready: boolean; api: string; name: string } }
  }

  it('says when it is ready, answers, and stops when asked', async () => {
    const { end, ready } = await run()
    expect(ready).to.include({ ready: true, name: 'one' })
    expect((await kairos(['status', '--path', path])).code).to.equal(0)
    const stopped = await kairos(['stop', '--path', path])
    expect([stopped.code, stopped.stdout]).to.deep.equal([0, 'stopped\n'])
    expect((await end).code).to.equal(0)
    expect((await kairos(['id', '--path', path])).code).to.equal(2)
  })

  it('is refused a second time on one path, naming the pid', async () => {
    const { child, end } = await run()
    const second = await kairos(['run', '--json', '--path', path])
    expect(second.code).to.equal(4)
    expect(JSON.parse(second.stderr.trim().split('\n').at(-1) ?? '')).to.have.nested.property('error.code', 'E_LOCKED')
    expect(second.stderr).to.contain(`pid ${child.pid}`)
    child.kill('SIGTERM')
    expect((await end).code).to.equal(0)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    it(`stops cleanly on ${signal}, also when it comes twice at once`, async () => {
      const { child, end } = await run()
      child.kill(signal)
      child.kill(signal)
      expect((await end).code).to.equal(0)
      for (const left of ['lock', 'api', 'api.token'])
        expect(await access(join(path, left)).catch((error: NodeJS.ErrnoException) => error.code)).to.equal('ENOENT')
    })

  it('refuses to let the API listen to others without TLS', async () => {
    const env = { KAIROS_API_HOST: '0.0.0.0' }
    const { code, stderr } = await kairos(['run', '--json', '--path', path], { env })
    expect([code, JSON.parse(stderr).error.code]).to.deep.equal([3, 'E_API_EXPOSED'])
  })
})
