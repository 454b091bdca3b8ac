import { expect } from 'chai'
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import type { GetBlock } from '../../../node/content/dag.ts'
import { createLocalPins, type PinWalkProgress } from '../../../node/content/pins/index.ts'
import { CodedError, codeOf } from '../../../protocols/shared/errors.ts'
import { block, Mesh, nameOf, namesOf, NEVER, node, openIndex, rawBlock } from '../../helpers/pin-fixtures.ts'
import { checkHeld, checkSwept } from '../../helpers/pin-invariants.ts'
import { unhandledIn } from '../../helpers/unhandled.ts'

const [a, b, c] = [rawBlock('a'), rawBlock('b'), rawBlock('c')]
const shared = node('shared', [a, b])
const root = node('root', [shared, c])
const other = node('other', [shared])
const mesh = () => new Mesh().add(a, b, c, shared, root, other)

const refusal = (promise: Promise<unknown>) => promise.then(() => 'none', codeOf)

describe('a local pin', () => {
  it('holds every block of its DAG, each once, and is pinned then', async () => {
    const { pins, store, sublevel } = await openIndex()
    const twice = node('twice', [shared, other, c])
    const net = mesh().add(twice)
    const pin = await pins.pin(twice.cid, { mode: 'recursive', get: net.over(store), signal: NEVER })
    expect(pin).to.deep.include({ cid: twice.cid.toString(), state: 'pinned', mode: 'recursive', blocks: 6 })
    expect(net.fetched.toSorted()).to.deep.equal([...new Set(net.fetched)].toSorted())
    const rows = await pins.blocksOf(twice.cid, { limit: 100 })
    expect(rows.map(nameOf)).to.deep.equal(namesOf([twice, other, shared, a, b, c]))
    expect(
      rows.find((cid) => cid.equals(shared.cid)),
      'with its codec',
    ).to.not.equal(undefined)
    await checkHeld(pins, store, CID.parse)
    const { batches } = sublevel
    await pins.pin(twice.cid, { mode: 'recursive', get: net.over(store), signal: NEVER })
    expect(sublevel.batches, 'a pinned one is pinned again for nothing').to.equal(batches)
  })

  it('in mode direct holds its one block, of any codec', async () => {
    const { pins, store } = await openIndex()
    const strange = block(Buffer.from('?'), 0x300001)
    const get = new Mesh().add(strange).over(store)
    expect(await refusal(pins.pin(strange.cid, { mode: 'recursive', get, signal: NEVER }))).to.equal(
      'E_CODEC_UNSUPPORTED',
    )
    expect(await pins.pin(strange.cid, { mode: 'direct', get, signal: NEVER })).to.include({
      state: 'pinned',
      blocks: 1,
    })
    expect((await pins.blocksOf(strange.cid, { limit: 2 })).join()).to.equal(strange.cid.toString())
    await checkSwept(pins, store, namesOf([strange]))
  })

  it('changes its mode both ways', async () => {
    const { pins, store } = await openIndex()
    const get = mesh().over(store)
    await pins.pin(root.cid, { mode: 'recursive', get, signal: NEVER })
    expect(await pins.pin(root.cid, { mode: 'direct', get, signal: NEVER })).to.include({ mode: 'direct', blocks: 1 })
    await checkHeld(pins, store, CID.parse)
    await checkSwept(pins, store, namesOf([root]))
    expect(await pins.pin(root.cid, { mode: 'recursive', get, signal: NEVER })).to.include({ blocks: 5 })
    await checkSwept(pins, store, namesOf([root, shared, a, b, c]))
  })

  it('is unpinned without a read of any block, and what another pin shares stays', async () => {
    const { pins, store } = await openIndex()
    const get = mesh().over(store)
    await pins.pin(root.cid, { mode: 'recursive', get, signal: NEVER })
    await pins.pin(other.cid, { mode: 'recursive', get, signal: NEVER })
    store.blocks.delete(nameOf(shared.cid))
    const { reads } = store
    await pins.unpin(root.cid)
    expect(store.reads).to.equal(reads)
    expect(await pins.get(root.cid)).to.equal(undefined)
    expect(await pins.stat()).to.deep.include({ pins: { pinned: 1, pinning: 0, failed: 0 }, blocks: 4 })
    await checkSwept(pins, store, namesOf([other, a, b]))
    await pins.unpin(root.cid)
  })

  it('whose first row cannot be written while its root is fetched fails with that, and nothing else does', async () => {
    const { pins, store, sublevel } = await openIndex()
    sublevel.batch = () => Promise.reject(new CodedError('E_DISK_FULL', 'the disk is full'))
    const came = Promise.withResolvers<Uint8Array>()
    const unhandled = await unhandledIn(async () => {
      const pinned = refusal(pins.pin(root.cid, { mode: 'recursive', get: () => came.promise, signal: NEVER }))
      await new Promise(setImmediate)
      came.resolve(root.bytes)
      expect(await pinned).to.equal('E_DISK_FULL')
    })
    expect([unhandled, store.blocks.size <= 1]).to.deep.equal([[], true])
  })

  it('that failed says why, keeps what it has, and goes on from there', async () => {
    const { pins, store } = await openIndex()
    const net = mesh()
    net.remove(b)
    expect(await refusal(pins.pin(root.cid, { mode: 'recursive', get: net.over(store), signal: NEVER }))).to.equal(
      'E_CONTENT_NOT_FOUND',
    )
    const failed = await pins.get(root.cid)
    expect(failed).to.include({ state: 'failed' })
    expect(failed!.error).to.deep.equal({ code: 'E_CONTENT_NOT_FOUND', message: `nobody has ${b.cid}` })
    await checkHeld(pins, store, CID.parse)
    net.add(b).fetched.length = 0
    const pin = await pins.pin(root.cid, { mode: 'recursive', get: net.over(store), signal: NEVER })
    expect(pin).to.include({ state: 'pinned', blocks: 5 }).and.to.not.have.property('error')
    expect(net.fetched).to.include(b.cid.toString()).and.to.not.include(root.cid.toString())
  })

  it('that was cut off by its caller stays `pinning`, and reads no block of it again', async () => {
    const { pins, store } = await openIndex()
    const net = mesh()
    const stop = new AbortController()
    const hanging: GetBlock = async (cid, signal) => {
      if (!cid.equals(b.cid)) return net.over(store)(cid, signal)
      const aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      stop.abort(new Error('the caller has gone'))
      return aborted as Promise<Uint8Array>
    }
    const cut = pins.pin(root.cid, { mode: 'recursive', get: hanging, signal: stop.signal })
    expect(await cut.then(() => '', String)).to.contain('the caller has gone')
    expect(await pins.get(root.cid)).to.include({ state: 'pinning' })
    net.fetched.length = 0
    const { reads } = store
    await pins.pin(root.cid, { mode: 'recursive', get: net.over(store), signal: NEVER })
    expect(store.reads - reads + net.fetched.length, 'looked at twice at most: those under way').to.be.at.most(3)
    await checkHeld(pins, store, CID.parse)
  })

  it('tells how far it is: of how many bytes, and which block is waited for', async () => {
    const { pins, store } = await openIndex()
    const leaves = [rawBlock('first'), rawBlock('second')]
    const links = leaves.map(({ cid, bytes }) => ({ Name: '', Hash: cid, Tsize: bytes.byteLength }))
    const file = block(dagPb.encode(dagPb.prepare({ Data: Uint8Array.of(8, 2), Links: links })), dagPb.code)
    const seen: PinWalkProgress[] = []
    const get = new Mesh().add(...leaves, file).over(store)
    const onProgress = (progress: PinWalkProgress) => void seen.push(progress)
    await pins.pin(file.cid, { mode: 'recursive', get, signal: NEVER, onProgress })
    const totalBytes = file.bytes.byteLength + 11
    expect(seen[0]).to.deep.equal({ blocks: 0, bytes: 0, totalBytes: null, missing: file.cid.toString() })
    expect(seen[1]).to.deep.equal({
      blocks: 1,
      bytes: file.bytes.byteLength,
      totalBytes,
      missing: leaves[0]!.cid.toString(),
    })
    expect(seen.at(-1)).to.deep.equal({ blocks: 3, bytes: totalBytes, totalBytes })
  })

  it('refuses what has no end: too deep, too many links, malformed, a root that is its own block', async () => {
    const { sublevel, store } = await openIndex()
    const pins = createLocalPins({ sublevel, store, limits: { depth: 3, links: 10 } })
    await pins.open()
    const refused = async (cid: CID, net: Mesh) =>
      refusal(pins.pin(cid, { mode: 'recursive', get: net.over(store), signal: NEVER }))
    let chain = node('end', [])
    const net = new Mesh().add(chain)
    for (let depth = 0; depth < 4; depth++) net.add((chain = node(`at ${depth}`, [chain])))
    expect(await refused(chain.cid, net)).to.equal('E_DAG_TOO_LARGE')
    const many = Array.from({ length: 11 }, (_, index) => rawBlock(String(index)))
    const wide = node('wide', many)
    expect(await refused(wide.cid, new Mesh().add(...many, wide))).to.equal('E_DAG_TOO_LARGE')
    const malformed = block(Uint8Array.of(255), dagPb.code)
    expect(await refused(malformed.cid, new Mesh().add(malformed))).to.equal('E_CONTENT_MALFORMED')
    const inline = CID.createV1(raw.code, Digest.create(0, Uint8Array.of(1)))
    expect(await refused(inline, new Mesh())).to.equal('E_HASH_UNSUPPORTED')
    expect((await pins.stat()).pins).to.deep.equal({ pinned: 0, pinning: 0, failed: 3 })
    await checkHeld(pins, store, CID.parse)
  })

  it('of version 0 and of version 1 are two pins of the same blocks', async () => {
    const { pins, store } = await openIndex()
    const leaf = block(dagPb.encode({ Links: [] }), dagPb.code)
    const v0 = leaf.cid.toV0()
    const get = new Mesh().add(leaf).over(store)
    await pins.pin(v0, { mode: 'recursive', get, signal: NEVER })
    await pins.pin(leaf.cid, { mode: 'recursive', get, signal: NEVER })
    expect((await pins.list({ limit: 5 })).map(({ cid }) => cid).toSorted()).to.deep.equal([
      v0.toString(),
      leaf.cid.toString(),
    ])
    await pins.unpin(v0)
    await checkSwept(pins, store, namesOf([leaf]))
  })

  it('is listed by page, and so are its blocks', async () => {
    const { pins, store } = await openIndex()
    const leaves = Array.from({ length: 7 }, (_, index) => rawBlock(`leaf ${index}`))
    const get = new Mesh().add(...leaves).over(store)
    for (const { cid } of leaves) await pins.pin(cid, { mode: 'recursive', get, signal: NEVER })
    const first = await pins.list({ limit: 4 })
    const rest = await pins.list({ after: first.at(-1)!.cid, limit: 4 })
    expect([...first, ...rest].map(({ cid }) => cid).toSorted()).to.deep.equal(
      leaves.map(({ cid }) => cid.toString()).toSorted(),
    )
    const all = node('all', leaves)
    await pins.pin(all.cid, { mode: 'recursive', get: new Mesh().add(all).over(store), signal: NEVER })
    const some = await pins.blocksOf(all.cid, { limit: 5 })
    const more = await pins.blocksOf(all.cid, { after: some.at(-1)!.multihash.bytes, limit: 5 })
    expect([...some, ...more].map(nameOf)).to.deep.equal(namesOf([all, ...leaves]))
  })

  it('ends when it is unpinned meanwhile, and when the node stops', async () => {
    const { pins, store } = await openIndex()
    const started = Promise.withResolvers<void>()
    const hanging: GetBlock = (_, signal) =>
      new Promise((_, reject) => {
        started.resolve()
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    const running = refusal(pins.pin(a.cid, { mode: 'recursive', get: hanging, signal: NEVER }))
    await started.promise
    await pins.unpin(a.cid)
    expect(await running).to.equal('E_ABORTED')
    expect(await pins.get(a.cid)).to.equal(undefined)
    const next = refusal(pins.pin(a.cid, { mode: 'recursive', get: hanging, signal: NEVER }))
    const waiting = refusal(pins.pin(a.cid, { mode: 'recursive', get: hanging, signal: NEVER }))
    await pins.close()
    expect([await next, await waiting]).to.deep.equal(['E_STOPPING', 'E_STOPPING'])
    expect(await refusal(pins.pin(a.cid, { mode: 'direct', get: mesh().over(store), signal: NEVER }))).to.equal(
      'E_STOPPING',
    )
  })

  it('of more blocks than memory has room for is walked whole', async () => {
    const { pins, store } = await openIndex()
    const leaves = Array.from({ length: 5000 }, (_, index) => rawBlock(`leaf ${index}`))
    const parts = [node('left', leaves), node('right', leaves.slice(2000))]
    const all = node('all', parts)
    const net = new Mesh().add(all, ...parts, ...leaves)
    const pin = await pins.pin(all.cid, { mode: 'recursive', get: net.over(store), signal: NEVER })
    expect(pin.blocks).to.equal(5003)
    expect(net.fetched.length).to.equal(5003)
    await pins.unpin(all.cid)
    expect(await pins.stat()).to.deep.equal({ pins: { pinned: 0, pinning: 0, failed: 0 }, blocks: 0, bytes: 0 })
  })
})
