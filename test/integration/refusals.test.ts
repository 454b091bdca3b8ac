import { expect } from 'chai'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase } from '../../node/storage/database.ts'
import type { Ended } from '../helpers/kairos.ts'
import { Stage } from '../helpers/processes.ts'

/** What a node that is refused leaves a script with: its exit code and the code of the error. */
function refusal({ code, stderr }: Ended): [exit: number | null, code: string] {
  return [code, /"code":"(E_\w+)"/.exec(lastLine(stderr))?.[1] ?? stderr]
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''
const RUN = ['run', '--json']

describe('a node that must not start', function () {
  this.timeout(30_000)
  let stage: Stage
  before(async () => {
    stage = await Stage.open()
  })
  after(() => stage.close())

  /** Each case has its own node, so that none hides another. */
  const made = async (name: string): Promise<string> => {
    await stage.did(name, ['init', '--name', name, '--profile', 'test', '-q'])
    return stage.path(name)
  }
  const start = async (name: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> => stage.kairos(name, RUN, { env })

  it('key that others may read: 8, with the chmod that mends it', async () => {
    const path = await made('loose-key')
    await chmod(join(path, 'node.key'), 0o644)
    const result = await start('loose-key')
    expect(refusal(result)).to.deep.equal([8, 'E_MODE_TOO_WIDE'])
    expect(result.stderr).to.contain(`chmod 0600 '${join(path, 'node.key')}'`)
  })

  it('directory that others may read: 8', async () => {
    await chmod(await made('loose-directory'), 0o755)
    expect(refusal(await start('loose-directory'))).to.deep.equal([8, 'E_MODE_TOO_WIDE'])
  })

  it('no node there at all: 4, naming init', async () => {
    const result = await start('nothing')
    expect(refusal(result)).to.deep.equal([4, 'E_KEY_MISSING'])
    expect(result.stderr).to.contain('kairos init')
  })

  it('API on an address of others without TLS: 3', async () => {
    await made('exposed')
    expect(refusal(await start('exposed', { KAIROS_API_HOST: '0.0.0.0' }))).to.deep.equal([3, 'E_API_EXPOSED'])
  })

  it('unknown configuration key: 3, with the nearest one', async () => {
    const path = await made('unknown-key')
    const file = join(path, 'config.yaml')
    await writeFile(file, `${await readFile(file, 'utf8')}phase:\n  rat_s: 2\n`)
    const result = await start('unknown-key')
    expect(refusal(result)).to.deep.equal([3, 'E_CONFIG_UNKNOWN_KEY'])
    expect(result.stderr).to.contain('phase.rate_s')
  })

  it('role that its genesis does not give: 3, naming both', async () => {
    await made('other-role')
    await stage.did('other-role', ['config', 'set', 'node.role', 'witness'])
    const result = await start('other-role')
    expect(refusal(result)).to.deep.equal([3, 'E_CONFIG_INVALID'])
    expect(result.stderr).to.match(/witness.*full/)
  })

  it('cell that its genesis does not give: 3, naming the command that mends it', async () => {
    await made('other-cell')
    await stage.did('other-cell', ['config', 'set', 'node.cell', 'elsewhere'])
    const result = await start('other-cell')
    expect(refusal(result)).to.deep.equal([3, 'E_CONFIG_INVALID'])
    expect(result.stderr).to.contain('kairos config set node.cell home')
  })

  it('window of one second with ω = 2 rad/s on raw samples: 3, with the values to change', async () => {
    await made('short-window')
    const env = {
      KAIROS_SIGNAL_SOURCE: 'synthetic',
      KAIROS_SIGNAL_RATE_HZ: '100',
      KAIROS_SIGNAL_COLUMN: 'value',
      KAIROS_SIGNAL_BLOCK: '50',
    }
    const result = await start('short-window', env)
    expect(refusal(result)).to.deep.equal([3, 'E_WINDOW_UNDER_CYCLE'])
    expect(result.stderr)
      .to.match(/emissary/)
      .and.match(/3\.14/)
  })

  it('data of a newer release: 4, never downgraded', async () => {
    const path = await made('newer')
    const database = await openDatabase(join(path, 'db'), { onFatal: () => undefined })
    await database.sublevel('kairos-meta').put('version', Buffer.from('2'))
    await database.close()
    expect(refusal(await start('newer'))).to.deep.equal([4, 'E_DATA_VERSION'])
  })

  it('database damaged in the middle of its log: 6, and nothing is changed', async () => {
    const path = await made('damaged')
    const database = await openDatabase(join(path, 'db'), { onFatal: () => undefined })
    for (let i = 0; i < 20; i++) await database.sublevel('x').put(`key ${i}`, Buffer.alloc(8192, i))
    await database.close()
    const log = await biggest(join(path, 'db'))
    const bytes = await readFile(log)
    bytes.fill(0xa5, bytes.length >> 1, (bytes.length >> 1) + 64)
    await writeFile(log, bytes)
    const result = await start('damaged')
    expect(refusal(result)).to.deep.equal([6, 'E_STORAGE_CORRUPT'])
    expect(result.stderr).to.contain('nothing was changed')
    expect((await readFile(log)).equals(bytes)).to.equal(true)
  })

  it('directory of the blocks that cannot be made: 6, naming the key to change', async () => {
    const path = await made('unwritable')
    await writeFile(join(path, 'file'), '')
    const result = await start('unwritable', { KAIROS_CONTENT_PATH: join(path, 'file', 'blocks') })
    expect(refusal(result)).to.deep.equal([6, 'E_STORAGE_UNWRITABLE'])
    expect(result.stderr).to.contain('content.path')
  })

  it('memory path of the source document that cannot be made: 6, naming the key to change', async () => {
    const path = await made('unwritable-memory')
    await writeFile(join(path, 'file'), '')
    const result = await start('unwritable-memory', { KAIROS_MEMORY_STORAGE_PATH: join(path, 'file', 'm') })
    expect(refusal(result)).to.deep.equal([6, 'E_STORAGE_UNWRITABLE'])
    expect(result.stderr).to.contain('memory.storage.path')
  })

  it('a port of the mesh that is taken: says which', async () => {
    await made('port-a')
    const first = await stage.run('port-a')
    const { addresses } = await stage.json<{ addresses: string[] }>('port-a', ['id'])
    await made('port-b')
    const result = await start('port-b', { KAIROS_NETWORK_LISTEN: addresses[0]!.replace(/\/p2p\/.*/, '') })
    expect(result.code).to.not.equal(0)
    expect(lastLine(result.stderr))
      .to.match(/network did not start/)
      .and.contain(addresses[0]!.split('/')[4])
    expect((await first.stop()).code).to.equal(0)
  })

  it('leaves no lock and no address behind', async () => {
    await made('left')
    await mkdir(stage.path('left', 'db'))
    await start('left', { KAIROS_API_HOST: '256.1.1.1', KAIROS_API_INSECURE_LISTEN: 'true' })
    expect(await readdir(stage.path('left'))).to.not.include.members(['lock', 'api', 'api.token'])
  })
})

async function biggest(directory: string): Promise<string> {
  const logs = (await readdir(directory)).filter((name) => name.endsWith('.log')).map((name) => join(directory, name))
  const sized = await Promise.all(logs.map(async (log) => ({ log, size: (await readFile(log)).length })))
  return sized.sort((a, b) => b.size - a.size)[0]!.log
}
