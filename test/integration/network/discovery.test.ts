import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { peerIdFromString } from '@libp2p/peer-id'
import type { KadDHT } from '@libp2p/kad-dht'
import * as varint from 'uint8-varint'
import { writeFrame } from '../../../protocols/shared/frames.ts'
import type { Network } from '../../../node/network/types.ts'
import { addressOf, TestMesh, until } from './mesh.ts'

const root = (n: number) => CID.createV1(0x55, createDigest(0x12, createHash('sha256').update(`root ${n}`).digest()))

describe('network: discovery', () => {
  let mesh: TestMesh

  afterEach(() => mesh.stopAll())

  it('who knows one member finds all others and the holders of a root, a light node too', async function () {
    this.timeout(60_000)
    mesh = await TestMesh.create(['full', 'witness', 'full', 'full', 'relay', 'light'])
    const nodes: Network[] = []
    for (let i = 0; i < 6; i++) {
      const bootstrap = i === 0 ? [] : [addressOf(nodes[i - 1] as Network)]
      nodes.push(await mesh.start(i, { config: { bootstrap } }))
    }
    await until(() => nodes.every(({ libp2p }) => libp2p.getPeers().length === 5), 40_000)
    nodes[0]?.provide(root(1))
    nodes[2]?.provide(root(1))
    const holders = async (): Promise<string[]> => {
      const found = new Set<string>()
      const search = nodes[5]?.findProviders(root(1), AbortSignal.timeout(5000)) ?? []
      for await (const { peerId } of search) found.add(peerId)
      return [...found].sort()
    }
    const expected = [mesh.seat(0).peerId, mesh.seat(2).peerId].sort()
    await until(async () => (await holders()).join() === expected.join(), 30_000)
  })

  it('a lonely node asks nobody, and tells its roots when somebody comes', async function () {
    this.timeout(60_000)
    mesh = await TestMesh.create(['full', 'full'])
    const lonely = await mesh.start(0)
    for await (const _ of lonely.findProviders(root(2), AbortSignal.timeout(5000))) expect.fail('nobody is there')
    lonely.provide(root(2))
    const other = await mesh.start(1, { config: { bootstrap: [addressOf(lonely)] } })
    await until(async () => {
      for await (const { peerId } of other.findProviders(root(2), AbortSignal.timeout(2000))) {
        return peerId === mesh.seat(0).peerId
      }
      return false
    }, 30_000)
  })

  it('the DHT keeps no records of unknown kinds, public keys among them', async () => {
    mesh = await TestMesh.create(['full', 'full'])
    const server = await mesh.start(0)
    const client = await mesh.start(1)
    await client.connect(addressOf(server), AbortSignal.timeout(5000))
    const { dht } = client.libp2p.services as unknown as { dht: KadDHT }
    await until(() => (dht as unknown as { routingTable: { size: number } }).routingTable.size === 1)
    for (const namespace of ['pk', 'other']) {
      const key = Buffer.concat([
        Buffer.from(`/${namespace}/`),
        peerIdFromString(mesh.seat(1).peerId).toMultihash().bytes,
      ])
      const events = await namesOf(dht.put(key, Uint8Array.of(1), { signal: AbortSignal.timeout(5000) }))
      expect(events).to.include('QUERY_ERROR')
    }
    let kept = 0
    for await (const _ of mesh.seat(0).datastore.queryKeys({ prefix: '/dht/record' })) kept += 1
    expect(kept).to.equal(0)
  })

  it('a flood of provider records is kept to 1,000, and honest ones still get through (F16)', async function () {
    this.timeout(60_000)
    mesh = await TestMesh.create(['full', 'full', 'full'])
    const server = await mesh.start(0)
    const flooder = await mesh.start(1, { config: { bootstrap: [addressOf(server)] } })
    await until(() => flooder.libp2p.getPeers().length === 1)
    const own = flooder.libp2p.peerId
    const addresses = flooder.libp2p.getMultiaddrs().map(({ bytes }) => bytes)
    const stream = await flooder.libp2p.dialProtocol(server.libp2p.peerId, `/kairos/${mesh.meshId}/kad/1.0.0`)
    for (let i = 0; i < 3000; i++) {
      await writeFrame(stream, addProvider(root(i).multihash.bytes, own.toMultihash().bytes, addresses))
    }
    const stored = async (id: string) => {
      let count = 0
      for await (const key of mesh.seat(0).datastore.queryKeys({ prefix: '/dht/provider' })) {
        if (key.toString().endsWith(id)) count += 1
      }
      return count
    }
    await until(async () => (await stored(own.toString())) === 1000)
    const honest = await mesh.start(2, { config: { bootstrap: [addressOf(server)] } })
    honest.provide(root(5000))
    await until(async () => (await stored(mesh.seat(2).peerId)) === 1, 30_000)
    expect(await stored(own.toString())).to.equal(1000)
  })
})

/** A DHT message of type ADD_PROVIDER (kad-dht spec, "RPC messages"), written by hand: the library does not flood. */
function addProvider(key: Uint8Array, id: Uint8Array, addresses: Uint8Array[]): Uint8Array {
  const field = (number: number, bytes: Uint8Array) =>
    Buffer.concat([Uint8Array.of((number << 3) | 2), varint.encode(bytes.byteLength), bytes])
  const provider = Buffer.concat([field(1, id), ...addresses.map((address) => field(2, address))])
  return Buffer.concat([Uint8Array.of(1 << 3, 2), field(2, key), field(9, provider)])
}

async function namesOf(events: AsyncIterable<{ name: string }>): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of events) names.push(name)
  return names
}
