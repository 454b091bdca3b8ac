import { expect } from 'chai'
import { ClassicLevel } from 'classic-level'
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CellMemberRow } from '../../node/operations.ts'
import { seal } from '../../node/storage/checksum.ts'
import { RealCell } from '../helpers/cell.ts'

const EXITS: Readonly<Record<string, number>> = { E_DATA_VERSION: 4, E_STATE_DIVERGED: 1 }

describe('a real node whose store of the cell is not as it left it', function () {
  this.timeout(90_000)
  let cell: RealCell
  before(async () => {
    cell = await RealCell.of(3)
    expect((await cell.setLabel('a', 'a', 'agreed', 'yes')).ok).to.equal(true)
    await cell.end('c')
    await rename(store('c'), cell.stage.path('kept'))
  })
  beforeEach(async () => {
    await rm(store('c'), { recursive: true, force: true })
    await cp(cell.stage.path('kept'), store('c'), { recursive: true })
  })
  after(() => cell.close())

  const store = (name: string) => cell.stage.path(name, 'cell')
  const log = () => join(store('c'), 'log')

  /** Starts it: refused on the terminal in a person's words. */
  const refused = async (code: string, remedy: RegExp) => {
    const { code: exit, stderr } = await cell.stage.kairos('c', ['run'])
    expect(stderr)
      .to.match(new RegExp(`^error ${code}: `, 'm'))
      .and.match(remedy)
    expect(stderr).to.not.match(/^\s+at /m)
    expect(exit, stderr).to.equal(EXITS[code] ?? 6)
  }
  const edit = async (change: (level: ClassicLevel<string, Buffer>) => Promise<void>) => {
    const level = new ClassicLevel<string, Buffer>(log(), { keyEncoding: 'utf8', valueEncoding: 'buffer' })
    await level.open()
    await change(level)
    await level.close()
  }

  it('corrupt: is refused, with the way to rejoin under a new id', async () => {
    const files = (await readdir(log())).filter((file) => /\.(ldb|log)$/.test(file))
    for (const file of files) {
      const bytes = await readFile(join(log(), file))
      if (bytes.length > 0) bytes[Math.floor(bytes.length / 2)]! ^= 0xff
      await writeFile(join(log(), file), bytes)
    }
    await refused('E_CELL_LOG_CORRUPT', /joins its cell under a new id/)
  })

  it('half-written: is refused', async () => {
    await edit((level) => level.sublevel<string, Buffer>('cell-log', {}).del('snapshot'))
    await refused('E_CELL_LOG_CORRUPT', /joins its cell under a new id/)
  })

  it('newer: is refused, with the release to install', async () => {
    const value = Buffer.from(seal(Buffer.from('version'), Buffer.from('999')))
    await edit((level) =>
      level.sublevel<string, Buffer>('kairos-meta', { valueEncoding: 'buffer' }).put('version', value),
    )
    await refused('E_DATA_VERSION', /newer|update|install/i)
  })

  it('another node’s: is refused', async () => {
    await cell.end('b')
    await rm(store('c'), { recursive: true })
    await cp(store('b'), store('c'), { recursive: true })
    await cell.run('b')
    await refused('E_CELL_LOG_FOREIGN', /\n {2}\S/)
  })

  it('found to differ from its cell’s: is refused, with the way to rejoin and the one past a wrong leader', async () => {
    await writeFile(join(store('c'), 'diverged'), 'this node cannot apply entry 4101\n')
    await refused('E_STATE_DIVERGED', /joins its cell under a new id(.|\n)*leader was wrong: stop it, remove/)
  })

  it('lost: rejoins under a new raft id and learns all again', async () => {
    await rm(store('c'), { recursive: true })
    const rowOf = (rows: CellMemberRow[]) => rows.find(({ peerId }) => peerId === cell.peerId('c'))
    const before = rowOf(await cell.members('a'))!
    await cell.run('c')
    await cell.voters(3)
    expect(rowOf(await cell.members('a'))!.raftId).to.be.greaterThan(before.raftId)
    expect(await cell.labels('c', 'a')).to.deep.equal({ agreed: 'yes' })
    expect((await cell.setLabel('c', 'c', 'again', 'here')).ok).to.equal(true)
  })
})
