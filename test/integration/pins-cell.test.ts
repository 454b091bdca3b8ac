import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import type { PinDocument, PinStatusDocument } from '../../node/operations.ts'
import { blockOf } from '../helpers/blocks.ts'
import { RealCell } from '../helpers/cell.ts'
import { PinNodes } from '../helpers/pin-nodes.ts'
import { eventually } from '../helpers/processes.ts'

const GRACE_S = 2
const FULL = ['a', 'b', 'c']

describe('the pinset of a cell of real nodes', function () {
  this.timeout(90_000)
  let cell: RealCell
  let nodes: PinNodes
  before(async () => {
    cell = await (await RealCell.open({ KAIROS_PINS_REPAIR_GRACE_S: String(GRACE_S) })).grow(3)
    nodes = new PinNodes(cell.stage)
  })
  after(() => cell.close())

  const some = (bytes = 1000): Buffer => randomBytes(bytes)
  const pinnedOn = async (node: string, ...names: string[]) => {
    for (const name of names) await nodes.add(node, Buffer.from(name), { pin: true, pinName: name, wait: true })
  }
  const runs = async (...names: string[]) => {
    await Promise.all(cell.running.filter((name) => !names.includes(name)).map((name) => cell.end(name)))
    for (const name of names.filter((name) => !cell.running.includes(name))) await cell.run(name)
  }

  it('add --pin --wait: the bytes are on three disks, each of which gives them alone', async () => {
    const text = some(1_500_000).toString('latin1')
    const flags = ['--pin', '--name', 'film', '--rmin', '3', '--wait', '--wait-timeout', '30s', '--json']
    const rows = (await cell.stage.did('a', ['add', '-', ...flags], { input: text })).trim().split('\n')
    const { status } = JSON.parse(rows.at(-1)!) as { status: PinStatusDocument }
    expect(status).to.include({ name: 'film', pinned: 3, replicationMin: 3 })
    const leader = await cell.leader()
    for (const name of [leader, ...FULL.filter((other) => other !== leader)]) {
      await runs(name)
      // Asked at once, it still believes that it leads.
      const refused = name === leader ? cell.stage.kairos(name, ['pin', 'ls']) : undefined
      expect((await nodes.cat(name, status.cid)).equals(Buffer.from(text)), name).to.equal(true)
      if (refused !== undefined) expect(await refused).to.have.property('code', 5)
    }
    await runs(...FULL)
    await cell.leader()
    expect(await nodes.get('b', status.cid)).to.include({ name: 'film' })
  })

  it('what only one node has is fetched by all that are to hold it', async () => {
    const cid = await nodes.add('b', some(1_200_000))
    const { pinned, copies } = await nodes.pinAndWait('c', cid, { replicationMin: 3 })
    expect([pinned, copies.length]).to.deep.equal([3, 3])
  })

  it('what nobody has says which block is missing, is waited for with 7, and comes when it is added', async () => {
    const { cid, bytes } = await blockOf(some())
    const waiting = ['pin', 'add', String(cid), '--rmin', '3', '--wait-timeout', '4s', '--json']
    const { code, stderr } = await cell.stage.kairos('a', waiting)
    expect(code).to.equal(7)
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } }
    expect(error.code).to.equal('E_TIMEOUT')
    expect(error.message).to.contain('0 of 3 copies are pinned').and.to.contain(String(cid))
    const { copies } = await nodes.status('b', String(cid))
    for (const { status, reason } of copies) {
      expect(status).to.equal('pinning')
      expect(reason).to.include({ missing: String(cid) })
      expect(reason!.code).to.be.oneOf(['no_providers', 'stalled'])
    }
    await nodes.add('c', bytes)
    await nodes.held('a', String(cid), 3)
  })

  it('what has failed for good ends a wait, and is tried again by all that are to hold it, whoever is asked', async () => {
    const { cid, bytes } = await blockOf(Buffer.alloc(1000, 0xff))
    await nodes.add('c', bytes)
    const bad = CID.createV1(dagCbor.code, cid.multihash).toString()
    const { code, stderr } = await cell.stage.kairos('a', ['pin', 'add', bad, '--rmin', '3', '--wait', '--json'])
    const { error } = JSON.parse(stderr) as { error: { code: string } }
    expect([code, error.code]).to.deep.equal([3, 'E_CONTENT_MALFORMED'])
    /** @returns when the last of them did */
    const failed = (after = '') =>
      eventually(`all three have failed after ${after}`, async () => {
        const { copies } = await nodes.status('b', bad)
        const isFailed = copies.every(({ status, since }) => status === 'pin_error' && since > after)
        if (copies.length === 3 && isFailed) return copies.map(({ since }) => since).toSorted()[2]
      })
    const first = await failed()
    const { copies } = await nodes.status('c', bad)
    expect(copies.map(({ reason }) => reason!.code)).to.deep.equal(['invalid', 'invalid', 'invalid'])
    expect(await nodes.one('a', 'pins/recover', { path: bad })).to.deep.equal({ recovered: 3 })
    const second = await failed(first)
    const all = await nodes.one<{ recovered: number }>('b', 'pins/recover', {})
    expect(all.recovered).to.be.at.least(3)
    await failed(second)
    await nodes.unpin('c', bad)
  })

  it('a pin that is removed is freed by gc on all three, and nothing else is', async () => {
    const freed = async () => Promise.all(FULL.map(async (name) => (await nodes.gc(name)).freedBytes))
    const used = async () => Promise.all(FULL.map(async (name) => (await nodes.repo(name)).usedBytes))
    await freed()
    const before = await used()
    const cid = await nodes.add('a', some(400_000), { pin: true, replicationMin: 3, wait: true })
    expect(await freed()).to.deep.equal([0, 0, 0])
    // An epoch may have come, which is kept.
    for (const [at, bytes] of (await used()).entries()) expect(bytes).to.be.at.least(before[at]! + 400_000)
    await nodes.unpin('b', cid)
    expect(await freed()).to.deep.equal([400_000, 400_000, 400_000])
    expect((await nodes.ask('a', `pins/get?path=${cid}`)).error).to.include({ code: 'E_PIN_UNKNOWN' })
  })

  it('a pin goes when its time is over, another takes the place of one with all that it has', async () => {
    const gone = await nodes.add('a', some(), { pin: true, expiresInSeconds: 1 })
    const from = await nodes.add('a', some(), { pin: true, pinName: 'report', metadata: '{"team":"sky"}' })
    const to = await nodes.add('c', some())
    const update = JSON.parse(await cell.stage.did('b', ['pin', 'update', from, to, '--json'])) as PinDocument
    expect(update).to.deep.include({ cid: to, name: 'report', metadata: { team: 'sky' } })
    await nodes.held('a', to, 3)
    expect((await nodes.ask('a', `pins/get?path=${from}`)).error).to.include({ code: 'E_PIN_UNKNOWN' })
    await eventually(
      'its time is over',
      async () => (await nodes.ask('c', `pins/get?path=${gone}`)).error !== undefined,
    )
  })

  it('lists page by page, in three orders, and only what is asked for', async () => {
    await pinnedOn('a', 'list-3', 'list-1', 'list-2')
    const named = await nodes.pin('b', (await nodes.list('b', { name: 'list-2' })).pins[0]!.cid, {
      metadata: { kind: 'x' },
      mode: 'direct',
    })
    const paged = async (query: Record<string, string>) => {
      const names: string[] = []
      for (let after: string | null | undefined; after !== null;) {
        const page = await nodes.list('c', { limit: 2, ...query, ...(after !== undefined && { after }) })
        expect(page.pins.length).to.be.at.most(2)
        names.push(...page.pins.map(({ name }) => name))
        after = page.next
      }
      return names
    }
    expect(await paged({ name: 'list-', order: 'name' })).to.deep.equal(['list-1', 'list-2', 'list-3'])
    expect(await paged({ name: 'list-', order: 'created' })).to.deep.equal(['list-3', 'list-1', 'list-2'])
    expect(await paged({ name: 'list-' })).to.have.members(['list-1', 'list-2', 'list-3'])
    expect(await paged({ metadata: '{"kind":"x"}' })).to.deep.equal(['list-2'])
    expect(await paged({ mode: 'direct' })).to.deep.equal(['list-2'])
    expect((await paged({ allocatedTo: 'b' })).length).to.equal((await paged({})).length)
    await nodes.held('a', named.cid, 3)
    const statuses = async (which: string) =>
      (await nodes.one<{ statuses: PinStatusDocument[] }>('a', `pins/statuses?name=list-&statuses=${which}`)).statuses
    expect(await statuses('pinned')).to.have.length(3)
    expect(await statuses('pin_error,pinning')).to.deep.equal([])
  })

  it('a page of many pins shows every copy as it is: no node is asked more at once than it answers', async () => {
    const names = Array.from({ length: 24 }, (_, at) => `many-${at}`)
    for (const name of names)
      await nodes.add('b', Buffer.from(name), { pin: true, pinName: name, replicationMin: 3, wait: true })
    const pages = FULL.map((name) => nodes.one<{ statuses: PinStatusDocument[] }>(name, 'pins/statuses?name=many-'))
    for (const { statuses } of await Promise.all(pages)) {
      const seen = statuses.flatMap(({ copies }) => copies.map(({ status }) => status))
      expect(seen).to.deep.equal(Array(72).fill('pinned'))
    }
    const own = await nodes.one<{ statuses: PinStatusDocument[] }>('c', 'pins/statuses?name=many-&local=true')
    expect(own.statuses.map(({ copies }) => copies.length)).to.deep.equal(Array(24).fill(1))
  })

  it('fewer nodes than the copies that there must be: refused with 4 and what is short', async () => {
    const cid = await nodes.add('a', some())
    const { code, stderr } = await cell.stage.kairos('b', ['pin', 'add', cid, '--rmin', '4', '--json'])
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; hint: string } }
    expect([code, error.code]).to.deep.equal([4, 'E_PIN_SHORT'])
    expect(error.message).to.match(/4.*3|3.*4/)
    expect(error.hint).to.contain('--rmin 3').and.contain('kairos invite')
  })

  it('state export, and import into another cell with other copies', async () => {
    const file = cell.stage.path('pins.jsonl')
    const { pins } = await nodes.list('a')
    await cell.stage.did('a', ['state', 'export', '-o', file])
    const other = await RealCell.open()
    try {
      await other.found('a')
      const flags = ['--rmin', '1', '--rmax', '1', '--allocations', '', '--json']
      const rows = (await other.stage.did('a', ['state', 'import', file, ...flags])).trim().split('\n')
      expect(JSON.parse(rows.at(-1)!)).to.deep.equal({ type: 'end', imported: pins.length, refused: 0 })
      const there = (await new PinNodes(other.stage).list('a')).pins
      const asHere = ({ cid, name, mode, metadata, created }: PinDocument) => ({ cid, name, mode, metadata, created })
      expect(there.map(asHere)).to.have.deep.members(pins.map(asHere))
      for (const pin of there)
        expect(pin).to.deep.include({ replicationMin: 1, replicationMax: 1, allocations: [other.peerId('a')] })
    } finally {
      await other.close()
    }
  })

  it('a lost node is replaced on a fourth; it comes back, nothing is lost and copies are no more than max', async () => {
    const bytes = some(300_000)
    const cid = await nodes.add('a', bytes, { pin: true, replicationMin: 3, replicationMax: 3, wait: true })
    await cell.join('d', 'a')
    await cell.voters(4)
    await cell.acquainted()
    const lost = (await cell.leader()) === 'c' ? 'b' : 'c'
    await cell.kill(lost)
    const holders = async () => (await nodes.get('a', cid)).allocations.map((peerId) => cell.nameOf(peerId))
    await eventually('another holds it', async () => (await holders()).includes('d'))
    expect(await nodes.held('a', cid, 3))
      .to.have.property('copies')
      .with.length(3)
    await cell.run(lost)
    await cell.voters(4)
    // `pin verify` reads what this node itself holds.
    const isHolder = async (name: string) => (await nodes.ask(name, 'pins/verify', { path: cid })).error === undefined
    await eventually('three hold it, and no fourth', async () => {
      const held = await Promise.all(cell.names.map(isHolder))
      return held.filter(Boolean).length === 3
    })
    await nodes.held(lost, cid, 3)
    for (const name of cell.running) expect((await nodes.cat(name, cid)).equals(bytes), name).to.equal(true)
  })
})
