import { expect } from 'chai'
import { decode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import type { FinalEpoch, MeshState } from '../../../consensus/epoch/index.ts'
import { partsCodec } from '../../../consensus/epoch/index.ts'
import { EpochContent, type EpochContentInit } from '../../../node/mesh/epoch-content.ts'
import { blocksOf, rootOf, segmentOf } from '../../../node/mesh/segment.ts'
import { until } from '../../helpers/libp2p-pair.ts'
import { bytes, valueOf } from './mesh-directory.ts'

const part = (text: string) => bytes(text)

/** An encoded block of nothing that is an epoch, but of its form. */
function blockAt(height: number): Uint8Array {
  const list = part('none')
  return partsCodec.encode({
    header: part(`header ${height}`),
    precommits: part(`precommits ${height}`),
    reports: part(`reports ${height}`),
    attestations: list,
    governance: list,
    evidence: list,
  })
}

describe('epochs as content', () => {
  let stored: Map<string, Uint8Array>
  let held: Set<string>
  let pinned: Map<string, string>
  let removed: string[]
  let isLeader: boolean
  let isFull: boolean
  let height: number
  let oldest: number
  let keep: number
  let told: (() => void)[]
  let service: EpochContent

  beforeEach(() => {
    ;[stored, held, pinned, removed, told] = [new Map(), new Set(), new Map(), [], []]
    ;[isLeader, isFull, height, oldest, keep] = [true, false, 0, 1, 0]
    const put = async (cid: CID, data: Uint8Array, lease: { add: (cid: CID) => Promise<void> }) => {
      if (isFull) throw new Error('the store is full')
      await lease.add(cid)
      stored.set(cid.toString(), data)
    }
    const hold = () => {
      const own = new Set<string>()
      return {
        add: async (cid: CID) => [held, own].forEach((set) => set.add(cid.toString())),
        release: () => own.forEach((cid) => held.delete(cid)),
      }
    }
    const init = {
      mesh: {
        get state() {
          return { height, mesh: valueOf('genesis') } as MeshState
        },
        get oldest() {
          return oldest
        },
        get keep() {
          return keep
        },
        onFinal: (listener: (final: FinalEpoch, state: MeshState) => void) => {
          told.push(listener as () => void)
          return () => undefined
        },
        block: async (at: number) => (at >= oldest && at <= height ? blockAt(at) : undefined),
      },
      content: { put, local: { hold } },
      pins: {
        add: async (cid: string, { name }: { name: string }) => void pinned.set(cid, name),
        remove: async (cid: string) => {
          removed.push(pinned.get(cid)!)
          pinned.delete(cid)
        },
        list: async () => ({ pins: [...pinned].map(([cid, name]) => ({ cid, name })), next: null }),
      },
      cell: {
        get isLeader() {
          return isLeader
        },
        tree: { get: () => undefined },
      },
      log: Object.assign(() => undefined, { warn: () => undefined, debug: () => undefined }),
    }
    service = new EpochContent(init as unknown as EpochContentInit)
  })
  afterEach(() => service.stop())

  const final = (to: number) => {
    height = to
    for (const tell of told) tell()
  }
  const isStored = (at: number) => blocksOf(blockAt(at)).every(({ cid }) => stored.has(cid.toString()))

  it('has each epoch by the CIDs of its header and lists, held until they are pinned', async () => {
    await service.start()
    final(3)
    await until(() => isStored(3))
    expect([isStored(1), isStored(2), stored.size]).to.deep.equal([true, true, 10])
    expect(held).to.deep.equal(new Set(stored.keys()))
    expect(pinned.size).to.equal(0)
  })

  it('has its leader pin each whole segment under one root that is the same everywhere', async () => {
    await service.start()
    final(256)
    await until(() => pinned.size === 1)
    const headers = Array.from({ length: 256 }, (_, at) => blocksOf(blockAt(at + 1))[0].cid)
    const { cid, bytes: root } = rootOf(valueOf('genesis'), { from: 1, to: 256 }, headers)
    expect([...pinned]).to.deep.equal([[cid.toString(), 'epochs 1-256']])
    expect(stored.get(cid.toString())).to.deep.equal(root)
    const content = decode<{ epochs: CID[] }>(root)
    expect(content).to.deep.include({ v: 1, from: 1, to: 256 })
    expect(content.epochs.map(String)).to.deep.equal(headers.map(String))
  })

  it('is no leader’s business elsewhere: it has the blocks and pins nothing', async () => {
    isLeader = false
    await service.start()
    final(256)
    await until(() => stored.size > 256 * 3)
    expect([pinned.size, isStored(256)]).to.deep.equal([0, true])
  })

  it('begins after a restart with the segment before the last, which may not be pinned yet', async () => {
    height = 700
    await service.start()
    await until(() => isStored(700))
    expect([isStored(256), isStored(257)]).to.deep.equal([false, true])
  })

  it('begins with the first segment that is kept whole', async () => {
    height = 700
    oldest = 300
    await service.start()
    await until(() => isStored(700))
    expect([isStored(512), isStored(513)]).to.deep.equal([false, true])
  })

  it('leaves a segment out when the store is full, and goes on with the next', async () => {
    await service.start()
    isFull = true
    final(2)
    await until(() => told.length > 0)
    isFull = false
    final(600)
    await until(() => isStored(600))
    expect([isStored(2), isStored(257), [...pinned.values()]]).to.deep.equal([false, true, ['epochs 257-512']])
    expect(held.has(blocksOf(blockAt(1))[0].cid.toString())).to.equal(false)
  })

  it('gives up the pins of what lies further back than is kept, and no others', async () => {
    keep = 500
    pinned.set('old', 'epochs 1-256').set('mine', 'epochs of my own').set('young', 'epochs 1025-1280')
    height = 1300
    await service.start()
    final(1540)
    await until(() => removed.length > 0)
    expect(removed).to.deep.equal(['epochs 1-256'])
  })

  it('counts segments of 256 from height 1', () => {
    expect([1, 256, 257, 512, 513].map(segmentOf)).to.deep.equal([
      { from: 1, to: 256 },
      { from: 1, to: 256 },
      { from: 257, to: 512 },
      { from: 257, to: 512 },
      { from: 513, to: 768 },
    ])
  })
})
