import { expect } from 'chai'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Peer, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { MAX_ADDRESSES_PER_PEER, MAX_PEER_STORE_PEERS } from '../../../node/network/limits.ts'
import { MAX_GOOD_PEERS, PeerMemory } from '../../../node/network/peer-memory.ts'
import { sweepPeerStore } from '../../../node/network/peer-store-sweep.ts'
import { ROLES } from '../../../node/roles.ts'
import { MemoryStore } from '../../integration/network/mesh.ts'

describe('peer memory', () => {
  it('keeps the last 64 good peers over a restart, the latest last', async () => {
    const store = new MemoryStore()
    const memory = new PeerMemory(store)
    for (let i = 0; i < MAX_GOOD_PEERS + 10; i++)
      memory.remember({ peerId: `p${i}`, addresses: ['/ip4/192.0.2.1/tcp/1'], seen: i })
    memory.remember({
      peerId: 'p20',
      addresses: Array.from({ length: 40 }, (_, i) => `/ip4/192.0.2.1/tcp/${i + 1}`),
      seen: 99,
    })
    memory.forget('p30')
    await memory.save()
    const restarted = new PeerMemory(store)
    await restarted.load()
    const peers = restarted.all()
    expect(peers).to.have.length(MAX_GOOD_PEERS - 1)
    expect(peers.at(-1)).to.include({ peerId: 'p20', seen: 99 })
    expect(peers.at(-1)?.addresses).to.have.length(MAX_ADDRESSES_PER_PEER)
    expect(peers.some(({ peerId }) => peerId === 'p9' || peerId === 'p30')).to.equal(false)
  })

  it('is empty where nothing was kept', async () => {
    const memory = new PeerMemory(new MemoryStore())
    await memory.load()
    expect(memory.all()).to.deep.equal([])
  })
})

describe('peer store sweep', () => {
  it('cuts 5,100 peers to 5,000 and 40 addresses to 16; connected, tagged and reached peers stay', async () => {
    const id = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const named = (name: string) => ({ toString: () => name, equals: () => false }) as unknown as PeerId
    const peer = (name: string, extra: Partial<Peer> = {}): Peer => ({
      id: named(name),
      addresses: [],
      protocols: [],
      metadata: new Map(),
      tags: new Map(),
      ...extra,
    })
    const addresses = Array.from({ length: 40 }, (_, i) => ({
      multiaddr: multiaddr(`/ip4/192.0.2.1/tcp/${i + 1}`),
      isCertified: i >= 30,
    }))
    const peers = [
      peer('connected'),
      peer('tagged', { tags: new Map([['keep-alive', { value: 1 }]]) }),
      peer('reached', { metadata: new Map([['last-dial-success', Buffer.from('1700000000000')]]), addresses }),
      ...Array.from({ length: 5097 }, (_, i) => peer(`fake${i}`)),
    ]
    const deleted: string[] = []
    const patched: { name: string; ports: string[] }[] = []
    const peerStore = {
      all: async () => peers,
      delete: async (gone: PeerId) => deleted.push(String(gone)),
      patch: async (of: PeerId, { multiaddrs = [] }: { multiaddrs?: ReturnType<typeof multiaddr>[] }) =>
        patched.push({ name: String(of), ports: multiaddrs.map(String) }),
    }
    await sweepPeerStore({ peerStore: peerStore as never, getPeers: () => [named('connected'), id] })
    expect(deleted).to.have.length(peers.length - MAX_PEER_STORE_PEERS)
    expect(deleted.every((name) => name.startsWith('fake'))).to.equal(true)
    expect(patched).to.have.length(1)
    expect(patched[0]?.ports).to.have.length(MAX_ADDRESSES_PER_PEER)
    expect(patched[0]?.ports[0]).to.equal('/ip4/192.0.2.1/tcp/31')
  })
})

describe('roles', () => {
  it('give each service as the table of roles has it', () => {
    expect(Object.keys(ROLES)).to.deep.equal(['full', 'light', 'witness', 'relay'])
    expect(Object.entries(ROLES).filter(([, { dht }]) => dht === 'client')).to.have.length(1)
    expect(ROLES.light).to.include({ master: false, emissary: true, relay: 'use', dht: 'client', content: 'cache' })
    expect(ROLES.relay).to.include({ relay: 'serve', phaseGossip: 'forward', clock: false })
    expect(ROLES.witness).to.include({ phaseGossip: 'listen', emissary: false })
    expect(ROLES.full).to.include({ cellConsensus: 'voter', phaseGossip: 'publish', master: true })
  })
})
