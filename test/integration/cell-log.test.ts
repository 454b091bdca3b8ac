import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogStart } from '../../consensus/cell/ports.ts'
import type { CodedError } from '../../protocols/shared/errors.ts'
import { CellDirectory, entry, range, snapshotAt, write } from '../unit/cell/cell-stores.ts'
import { refused } from '../unit/storage/refused.ts'

describe('the cell’s stores on a real disk', () => {
  const cell = new CellDirectory()
  beforeEach(() => cell.make())
  afterEach(() => cell.remove())

  const filesOf = async (directory: string) =>
    (await readdir(directory, { recursive: true, withFileTypes: true }))
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name))
  const walOf = async () => (await filesOf(join(cell.path, 'log'))).find((file) => file.endsWith('.log'))!

  it('a power cut at any byte of a write leaves what was acknowledged before it, whole', async () => {
    const wal = await cell.using(async ({ log }) => {
      const file = await walOf()
      const acknowledged: { size: number; start: LogStart }[] = []
      const acknowledge = async () => acknowledged.push({ size: (await stat(file)).size, start: await log.read() })
      await acknowledge()
      await log.append(write(range(1, 4), { term: 1, vote: 1, commit: 2 }))
      await acknowledge()
      await log.append(write(range(4, 9, 2), { term: 2, vote: 3, commit: 3 }))
      await acknowledge()
      await log.append({ entries: [entry(10, 2)], hardState: undefined, snapshot: snapshotAt(5, 2) })
      await acknowledge()
      await log.append(write([{ ...entry(11, 2), data: new Uint8Array(70_000) }]))
      await acknowledge()
      return { name: file.slice(cell.path.length), acknowledged, copy: await cell.copy('copy') }
    })
    let cuts = 0
    for (const [at, { size, start }] of wal.acknowledged.entries()) {
      const next = wal.acknowledged[at + 1]?.size ?? size + 1
      for (let length = size; length < next; length += Math.ceil((next - size) / 9)) {
        const directory = join(cell.root, `cut-${length}`)
        await cp(wal.copy, directory, { recursive: true })
        await truncate(directory + wal.name, length)
        await cell.using(async ({ log }) => expect(await log.read(), `cut at ${length}`).to.deep.equal(start), {
          directory,
        })
        await rm(directory, { recursive: true })
        cuts++
      }
    }
    expect(cuts).to.be.greaterThan(30)
  })

  it('kill -9 or a power cut after any acknowledgement loses nothing that was acknowledged', async () => {
    const copies: string[] = []
    await cell.using(async ({ log }) => {
      for (let index = 1; index <= 20; index++) {
        await log.append(write([entry(index)], { term: 1, vote: 1, commit: index - 1 }))
        copies.push(await cell.copy(`after-${index}`))
      }
    })
    for (const [at, directory] of copies.entries()) {
      await cell.using(async ({ log }) => expect((await log.read()).entries).to.deep.equal(range(1, at + 1)), {
        directory,
      })
    }
  })

  it('a flipped bit anywhere in the files of the log is refused, or changes nothing', async () => {
    await cell.using(async ({ log }) => {
      await log.setRaftId(3)
      for (let index = 1; index <= 30; index++) {
        await log.append(write([entry(index)], { term: 1, vote: 1, commit: index - 1 }))
      }
    })
    // A second start, so that the records lie in a table.
    const start = await cell.using(({ log }) => log.read())
    const outcomes = { refused: 0, same: 0 }
    const names = (await filesOf(join(cell.path, 'log'))).filter((file) => /\.ldb$|MANIFEST|CURRENT$/.test(file))
    for (const name of names.map((file) => file.slice(cell.path.length))) {
      const { size } = await stat(cell.path + name)
      for (let at = 0; at < size; at += Math.max(1, Math.floor(size / 100))) {
        const directory = await flippedCopy(name, at)
        const read = await cell.using(({ log }) => log.read(), { directory }).catch((error: CodedError) => error.code)
        if (typeof read === 'string') outcomes.refused++
        else outcomes.same++
        if (typeof read === 'string') expect(read).to.match(/^E_(CELL_LOG_CORRUPT|STORAGE_IO|DATA_VERSION)$/)
        else expect(read, `${name} byte ${at}`).to.deep.equal(start)
        await rm(directory, { recursive: true })
      }
    }
    expect(outcomes.refused).to.be.greaterThan(outcomes.same)
  }).timeout(120_000)

  it('after a close, a flipped bit anywhere in the last append is refused: it is not taken for a torn one', async () => {
    const [name, from, to] = await cell.using(async ({ log }) => {
      const wal = await walOf()
      await log.append(write(range(1, 3), { term: 1, vote: 1, commit: 1 }))
      const { size } = await stat(wal)
      await log.append(write([entry(4)], { term: 2, vote: 3, commit: 1 }))
      return [wal.slice(cell.path.length), size, (await stat(wal)).size] as const
    })
    for (let at = from; at < to; at++) {
      const directory = await flippedCopy(name, at)
      const error = await refused(cell.open({ directory }))
      expect(error.code, `byte ${at}`).to.equal('E_CELL_LOG_CORRUPT')
      expect(error.hint).to.contain('joins its cell under a new id')
      await rm(directory, { recursive: true })
    }
    expect(to - from).to.be.greaterThan(100)
  }).timeout(60_000)

  const flippedCopy = async (name: string, at: number) => {
    const directory = await cell.copy(`flip-${at}`)
    const content = await readFile(directory + name)
    content[at]! ^= 1 << (at % 8)
    await writeFile(directory + name, content)
    return directory
  }

  it('the log’s files stay bounded however much is appended, when snapshots are taken', async () => {
    let most = 0
    await cell.using(async ({ log }) => {
      for (let round = 0; round < 100; round++) {
        const from = round * 1000 + 1
        const entries = Array.from({ length: 1000 }, (_, at) =>
          entry(from + at, 1, randomBytes(750).toString('base64')),
        )
        const snapshot = snapshotAt(from - 1, from === 1 ? 0 : 1)
        await log.append({ entries, hardState: { term: 1, vote: 0, commit: from + 999 }, snapshot })
        const sizes = await Promise.all((await filesOf(join(cell.path, 'log'))).map((file) => sizeOf(file)))
        most = Math.max(
          most,
          sizes.reduce((sum, size) => sum + size, 0),
        )
      }
    })
    // 100 MB were written; LevelDB has deleted ones in files of 2 and 4 MB on up to four levels (seen: 14 to 32 MB).
    expect(most).to.be.lessThan(50_000_000)
  }).timeout(60_000)

  describe('full', () => {
    const disk = () => join(cell.root, 'disk')
    beforeEach(async function () {
      await mkdir(disk(), { mode: 0o700 })
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', disk()], { stdio: 'ignore' })
      } catch {
        console.warn('      skipped: only root may mount a small file system')
        this.skip()
      }
    })
    afterEach(async () => {
      if ((await stat(disk())).dev !== (await stat(cell.root)).dev) execFileSync('umount', ['-l', disk()])
    })

    it('the first failed append is the last: reported once, nothing later is taken, all before it is there', async () => {
      const directory = join(disk(), 'cell')
      let kept = 0
      await cell.using(
        async ({ log }) => {
          const append = (index: number) =>
            log.append(write([{ ...entry(index), data: new Uint8Array(100_000) }], { term: 1, vote: 0, commit: 0 }))
          const error = await refused(
            (async () => {
              for (; kept < 100; kept++) await append(kept + 1)
            })(),
          )
          expect(error.code).to.equal('E_DISK_FULL')
          await writeFile(join(disk(), 'nothing'), '')
          expect(await refused(log.append(write([entry(kept + 2)])))).to.equal(error)
          expect(await refused(log.setRaftId(1))).to.equal(error)
          expect(cell.fatal).to.deep.equal([error])
        },
        { directory },
      )
      const larger = join(cell.root, 'larger')
      await cp(directory, larger, { recursive: true })
      await cell.using(
        async ({ log }) => expect((await log.read()).entries.map(({ index }) => index)).to.have.lengthOf(kept),
        { directory: larger },
      )
    })
  })
})

/** 0 for a file that LevelDB has deleted meanwhile. */
async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => ({ size: 0 }))).size
}
