import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acquireLock, lockHolder } from '../../../node/storage/lock.ts'
import { refused } from './refused.ts'

const lockModule = new URL('../../../node/storage/lock.ts', import.meta.url).href
const holder = `const { acquireLock } = await import(${JSON.stringify(lockModule)})
await acquireLock(process.argv[1]); console.log('held'); setInterval(() => {}, 1000)`

function startHolder(file: string) {
  const flags = ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e', holder, file]
  return spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
}

describe('lock', () => {
  let file: string
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kairos-lock-'))
    file = join(directory, 'lock')
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('is held by one, and free again after release', async () => {
    const lock = await acquireLock(file)
    expect(await lockHolder(file)).to.equal(process.pid)
    const error = await refused(acquireLock(file))
    expect(error.code).to.equal('E_LOCKED')
    expect(error.message).to.contain(`pid ${process.pid}`)
    await lock.release()
    await lock.release()
    expect(await lockHolder(file)).to.equal(undefined)
    await (await acquireLock(file)).release()
    expect(await readdir(directory)).to.deep.equal([])
  })

  it('is refused while another process lives, naming its pid, and taken when it was killed', async () => {
    const child = startHolder(file)
    try {
      await once(child.stdout, 'data')
      expect((await refused(acquireLock(file))).message).to.contain(`pid ${child.pid}`)
    } finally {
      child.kill('SIGKILL')
    }
    await once(child, 'exit')
    const lock = await acquireLock(file)
    expect(await lockHolder(file)).to.equal(process.pid)
    await lock.release()
  })

  it('is taken when the pid is another process by now', async function () {
    if (process.platform !== 'linux') this.skip()
    await writeFile(file, `${process.pid} some-other-boot 1`)
    const lock = await acquireLock(file)
    expect(await readFile(file, 'utf8')).not.to.contain('some-other-boot')
    await lock.release()
  })

  it('goes by the pid alone where no start time is known', async () => {
    await writeFile(file, String(process.pid))
    expect((await refused(acquireLock(file))).code).to.equal('E_LOCKED')
  })

  it('is taken from garbage', async () => {
    await writeFile(file, 'what is this')
    await (await acquireLock(file)).release()
  })

  it('of several at once, one gets it, over a dead holder too', async () => {
    await writeFile(file, '999999999 boot 1')
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(file)))
    const held = outcomes.filter(({ status }) => status === 'fulfilled')
    expect(held).to.have.lengthOf(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).to.include({ code: 'E_LOCKED' })
    }
  })

  it('leaves a lock alone that another has taken since', async () => {
    const lock = await acquireLock(file)
    await writeFile(file, '1 other')
    await lock.release()
    expect(await readFile(file, 'utf8')).to.equal('1 other')
  })
})
