import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { VerifyRow } from '../../node/operations.ts'
import { blockFiles, openBlockStore } from '../helpers/blocks.ts'
import { RealCell } from '../helpers/cell.ts'
import { block, node, type Block } from '../helpers/pin-fixtures.ts'
import { PinNodes } from '../helpers/pin-nodes.ts'
import { eventually } from '../helpers/processes.ts'

const MIB = 1_048_576
const QUOTA = 24 * MIB
const UNKNOWN_CODEC = 0x9999
const TOO_DEEP = 1_030

/** Blocks that no `add` makes. */
const strange = block(randomBytes(1000), UNKNOWN_CODEC)
const huge = block(randomBytes(2 * MIB + 1))
const chain = Array.from({ length: TOO_DEEP }).reduce<Block[]>(
  (below) => [node('link', below.slice(0, 1)), ...below],
  [block(randomBytes(10))],
)

describe('bad input for pins, at real nodes', function () {
  this.timeout(90_000)
  let cell: RealCell
  let nodes: PinNodes
  let kept: { cid: string; bytes: Buffer }

  before(async () => {
    cell = await RealCell.open()
    nodes = new PinNodes(cell.stage)
    await cell.found('a')
    await cell.enter('b', await cell.ticket('a'))
    await cell.stage.did('b', ['config', 'set', 'content.quota_bytes', String(QUOTA)])
    const store = await openBlockStore(cell.stage.path('b', 'blocks'), { maxBlockBytes: 4 * MIB })
    for (const { cid, bytes } of [strange, huge, ...chain]) await store.put(cid, bytes)
    await store.close()
    await cell.run('b')
    await cell.voters(2)
    const bytes = randomBytes(400_000)
    kept = { bytes, cid: await nodes.add('a', bytes, { pin: true, pinName: 'kept', replicationMin: 2, wait: true }) }
  })
  after(() => cell.close())
  afterEach('what was pinned is there, and the nodes serve on', async () => {
    for (const name of cell.running) expect((await nodes.cat(name, kept.cid)).equals(kept.bytes), name).to.equal(true)
    await nodes.held('b', kept.cid, 2)
  })

  const on = (name: string) => ({ replicationMin: 1, replicationMax: 1, allocations: [name] })
  const failed = (cid: string, code: string) =>
    nodes.copy('b', cid, `${cid} is given up`, ({ status, reason }) => status === 'pin_error' && reason?.code === code)

  it('what is no CID or no path is refused with 3 or 4, and nothing is pinned', async () => {
    const before = (await nodes.list('a')).pins.length
    for (const path of [
      '',
      'nonsense',
      '/ipns/name',
      `${kept.cid}/no/such`,
      `${kept.cid}x`,
      'bafk\u0000',
      'x'.repeat(5000),
    ])
      expect((await nodes.ask('a', 'pins/add', { path })).error?.code, path.slice(0, 80)).to.be.oneOf([
        'E_CID_INVALID',
        'E_PARAMETER',
        'E_CONTENT_NOT_FOUND',
        'E_PATH_NOT_FOUND',
        'E_NOT_DIRECTORY',
      ])
    const { code, stderr } = await cell.stage.kairos('a', ['pin', 'add', 'nonsense', '--json'])
    expect([code, stderr.includes('E_CID_INVALID')]).to.deep.equal([3, true])
    expect((await nodes.list('a')).pins).to.have.length(before)
  })

  it('a codec without known links is not pinned with what is below it, but its own block is', async () => {
    const cid = strange.cid.toString()
    await nodes.pin('a', cid, on('b'))
    expect((await failed(cid, 'invalid')).reason?.message)
      .to.contain('0x9999')
      .and.to.contain(cid)
    await nodes.pin('a', cid, { ...on('a'), mode: 'direct' })
    await nodes.held('b', cid, 1)
    await nodes.unpin('b', cid)
  })

  it('a DAG that goes deeper than the limit is given up', async () => {
    const cid = chain[0]!.cid.toString()
    await nodes.pin('a', cid, on('b'))
    expect((await failed(cid, 'too_large')).reason?.message).to.match(/links deep/)
    await nodes.unpin('b', cid)
  })

  it('a block of more than 2 MiB is taken by nobody', async () => {
    const cid = huge.cid.toString()
    for (const name of ['a', 'b']) {
      await nodes.pin('a', cid, { ...on(name), mode: 'direct' })
      await nodes.copy('b', cid, 'nobody gives it', ({ reason }) => reason?.code === 'no_providers')
      await nodes.unpin('b', cid)
    }
  })

  it('a block that does not match its hash is found, and mended from another copy', async () => {
    const damage = async (): Promise<void> => {
      for (const file of await blockFiles(cell.stage.path('a', 'blocks'))) {
        const bytes = await readFile(file)
        bytes[0]! ^= 1
        await writeFile(file, bytes)
      }
    }
    await damage()
    const found = await cell.stage.kairos('a', ['repo', 'verify', '--json'])
    expect([found.code, found.stdout.includes('"damaged"')]).to.deep.equal([5, true])
    // What a pin lacks it fetches by itself.
    await eventually('all is well again', async () => (await nodes.verify('a')).length === 0)
    await damage()
    const rows = await nodes.rows<VerifyRow>('a', 'repo/verify', { repair: true })
    expect(rows.map(({ type }) => type))
      .to.include('repaired')
      .and.to.not.include('failed')
    expect(await nodes.verify('a')).to.deep.equal([])
  })

  it('beyond the quota: the add is refused, a pin says so, and is held after gc and recover', async () => {
    await nodes.gc('b')
    const first = await nodes.add('a', randomBytes(16 * MIB), {
      pin: true,
      replicationMin: 1,
      replicationMax: 1,
      allocations: 'b',
      wait: true,
    })
    const refused = await nodes.ask('b', 'add', randomBytes(16 * MIB))
    expect(refused.error).to.include({ code: 'E_QUOTA' })
    await nodes.gc('b')
    const second = await nodes.add('a', randomBytes(16 * MIB))
    await nodes.pin('a', second, on('b'))
    expect((await failed(second, 'quota')).reason?.message).to.match(/full/)
    await nodes.unpin('a', first)
    await nodes.gc('b')
    await nodes.rows('b', 'pins/recover', { path: second })
    await nodes.held('a', second, 1)
  })

  describe('and a small disk', () => {
    const disk = () => cell.stage.path('disk')
    let isMounted = false
    before(async function () {
      await mkdir(disk(), { mode: 0o700 })
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m,mode=700', 'tmpfs', disk()], { stdio: 'ignore' })
        isMounted = true
      } catch {
        console.warn('      skipped: only root may mount a small file system')
        this.skip()
      }
      await cell.enter('c', await cell.ticket('a'))
      await cell.stage.did('c', ['config', 'set', 'content.path', disk()])
      await cell.run('c')
      await cell.voters(3)
    })
    after(async () => {
      if (cell.running.includes('c')) await cell.end('c')
      if (isMounted) execFileSync('umount', ['-l', disk()])
    })

    it('that is full in the middle: the pin says so, what was there stays, and it goes on when there is room', async () => {
      const held = randomBytes(10 * MIB)
      const first = await nodes.add('a', held, {
        pin: true,
        replicationMin: 1,
        replicationMax: 1,
        allocations: 'c',
        wait: true,
      })
      const large = randomBytes(25 * MIB)
      const second = await nodes.add('a', large)
      await nodes.pin('b', second, on('c'))
      expect((await failed(second, 'storage')).reason?.message).to.match(/full/)
      expect((await nodes.cat('c', first)).equals(held)).to.equal(true)
      await nodes.unpin('c', first)
      await nodes.gc('c')
      await nodes.rows('c', 'pins/recover', { path: second })
      await nodes.held('a', second, 1)
      expect(await nodes.verify('c')).to.deep.equal([])
    })
  })
})
