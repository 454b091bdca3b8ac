import { expect } from 'chai'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { AddressRanges } from '../../../node/network/address-range.ts'
import { createGater, type GaterInit } from '../../../node/network/gater.ts'
import { ScoreLedger } from '../../../node/network/ledger.ts'
import * as limits from '../../../node/network/limits.ts'

/** A socket that has just arrived: enough of one for the gater. */
class FakeSocket extends EventTarget {
  readonly remoteAddr
  aborted = false

  constructor(address: string) {
    super()
    this.remoteAddr = multiaddr(address)
  }

  abort(): void {
    this.aborted = true
    this.dispatchEvent(new Event('close'))
  }
}

describe('connection gater', () => {
  let now: number
  let ledger: ScoreLedger
  let gater: ConnectionGater
  let open: Connection[]
  let reservations: { peerId: string; host: string }[]
  let peer: PeerId

  beforeEach(async () => {
    now = 0
    open = []
    reservations = []
    peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    ledger = new ScoreLedger(() => now)
    const init: GaterInit = {
      trusted: new AddressRanges(['10.0.0.0/8']),
      ledger,
      now: () => now,
      connections: () => open,
      reservations: () => reservations,
    }
    gater = createGater(init)
  })

  function arrive(address: string): { denied: boolean; socket: FakeSocket } {
    const socket = new FakeSocket(address)
    const denied = gater.denyInboundConnection?.(socket as unknown as MultiaddrConnection)
    return { denied: denied === true, socket }
  }

  const connectionFrom = (address: string, streams: { protocol: string; direction: string }[] = []) =>
    ({ remoteAddr: multiaddr(address), streams }) as unknown as Connection

  it('lets a stranger open 5 a second, each address and each IPv6 /64 for itself', () => {
    const refused = (address: (i: number) => string, count: number) =>
      Array.from({ length: count }, (_, i) => arrive(address(i))).filter(({ denied }) => denied).length
    expect(refused(() => '/ip4/192.0.2.1/tcp/1', 10)).to.equal(5)
    expect(refused((i) => `/ip4/192.0.2.${i + 10}/tcp/1`, 10)).to.equal(0)
    expect(refused((i) => `/ip6/2001:db8::${i + 1}/tcp/1`, 10)).to.equal(5)
    expect(refused((i) => `/ip6/2001:db8:0:${i + 1}::1/tcp/1`, 10)).to.equal(0)
    now = 1000
    expect(refused(() => '/ip4/192.0.2.1/tcp/1', 5)).to.equal(0)
  })

  it('lets the operator’s ranges open 100 a second', () => {
    const results = Array.from({ length: 101 }, () => arrive('/ip4/10.0.0.1/tcp/1'))
    expect(results.filter(({ denied }) => denied)).to.have.length(1)
  })

  it('cuts the oldest handshake of a crowded address and lets the newcomer in', () => {
    const first = arrive('/ip4/192.0.2.1/tcp/1')
    for (let i = 1; i < limits.STRANGER_PENDING; i++) arrive('/ip4/192.0.2.1/tcp/1')
    expect(first.socket.aborted).to.equal(false)
    const newcomer = arrive('/ip4/192.0.2.1/tcp/1')
    expect(newcomer.denied).to.equal(false)
    expect(first.socket.aborted).to.equal(true)
  })

  it('does not count what was upgraded or closed', () => {
    for (let i = 0; i < 50; i++) {
      now += 1000
      const { socket } = arrive('/ip4/192.0.2.1/tcp/1')
      if (i % 2 === 0) socket.dispatchEvent(new Event('close'))
      else void gater.denyInboundUpgradedConnection?.(peer, socket as unknown as MultiaddrConnection)
      expect(socket.aborted).to.equal(false)
    }
  })

  it('bounds the handshakes of all addresses together', () => {
    const sockets = Array.from({ length: limits.MAX_PENDING + 10 }, (_, i) =>
      arrive(`/ip4/192.0.${i >> 8}.${i & 255}/tcp/1`),
    )
    expect(sockets.filter(({ socket }) => socket.aborted)).to.have.length(10)
    expect(sockets.slice(0, 10).every(({ socket }) => socket.aborted)).to.equal(true)
  })

  it('shuts out a banned id both ways, and a host with three of them, but not the operator’s', () => {
    ledger.ban(peer.toString(), '192.0.2.1')
    const socket = new FakeSocket('/ip4/192.0.2.1/tcp/1') as unknown as MultiaddrConnection
    expect(gater.denyInboundEncryptedConnection?.(peer, socket)).to.equal(true)
    expect(gater.denyOutboundEncryptedConnection?.(peer, socket)).to.equal(true)
    expect(gater.denyDialPeer?.(peer)).to.equal(true)
    expect(gater.denyInboundRelayedConnection?.(peer, peer)).to.equal(true)
    expect(arrive('/ip4/192.0.2.1/tcp/1').denied).to.equal(false)
    for (const id of ['b', 'c']) ledger.ban(id, '192.0.2.1')
    expect(arrive('/ip4/192.0.2.1/tcp/1').denied).to.equal(true)
    for (const id of ['d', 'e', 'f']) ledger.ban(id, '10.0.0.1')
    expect(arrive('/ip4/10.0.0.1/tcp/1').denied).to.equal(false)
    now += limits.BAN_MS
    expect(gater.denyInboundEncryptedConnection?.(peer, socket)).to.equal(false)
    expect(arrive('/ip4/192.0.2.1/tcp/1').denied).to.equal(false)
  })

  it('gives one peer at most 8 connections', () => {
    const socket = new FakeSocket('/ip4/192.0.2.1/tcp/1') as unknown as MultiaddrConnection
    open = Array.from({ length: limits.MAX_CONNECTIONS_PER_PEER - 1 }, () => connectionFrom('/ip4/192.0.2.1/tcp/1'))
    expect(gater.denyInboundEncryptedConnection?.(peer, socket)).to.equal(false)
    open.push(connectionFrom('/ip4/192.0.2.1/tcp/2'))
    expect(gater.denyInboundEncryptedConnection?.(peer, socket)).to.equal(true)
  })

  it('gives one address 4 reservations: 100 ids of one address get 4, a member elsewhere and a renewal pass', async () => {
    let given = 0
    for (let i = 0; i < 100; i++) {
      const source = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
      open = [connectionFrom('/ip4/192.0.2.1/tcp/1')]
      if (gater.denyInboundRelayReservation?.(source) === true) continue
      reservations.push({ peerId: source.toString(), host: '192.0.2.1' })
      given += 1
    }
    expect(given).to.equal(limits.MAX_RESERVATIONS_PER_HOST)
    expect(gater.denyInboundRelayReservation?.({ toString: () => reservations[0]?.peerId } as PeerId)).to.equal(false)
    open = [connectionFrom('/ip4/192.0.2.2/tcp/1')]
    expect(gater.denyInboundRelayReservation?.(peer)).to.equal(false)
    open = []
    expect(gater.denyInboundRelayReservation?.(peer)).to.equal(true)
  })

  it('gives one source 16 circuits', () => {
    const hop = { protocol: '/libp2p/circuit/relay/0.2.0/hop', direction: 'inbound' }
    // The stream that asks is open already.
    open = [
      connectionFrom(
        '/ip4/192.0.2.1/tcp/1',
        Array.from({ length: 16 }, () => hop),
      ),
    ]
    expect(gater.denyOutboundRelayedConnection?.(peer, peer)).to.equal(false)
    open = [
      connectionFrom(
        '/ip4/192.0.2.1/tcp/1',
        Array.from({ length: 17 }, () => hop),
      ),
    ]
    expect(gater.denyOutboundRelayedConnection?.(peer, peer)).to.equal(true)
  })

  it('keeps only addresses that can be dialled', () => {
    expect(gater.filterMultiaddrForPeer?.(peer, multiaddr('/ip4/192.0.2.1/tcp/1'))).to.equal(true)
    expect(gater.filterMultiaddrForPeer?.(peer, multiaddr('/ip4/192.0.2.1/udp/1/quic-v1'))).to.equal(false)
    expect(gater.filterMultiaddrForPeer?.(peer, multiaddr(`/dns4/${'a'.repeat(300)}/tcp/1`))).to.equal(false)
    expect(gater.denyDialMultiaddr?.(multiaddr('/ip4/192.0.2.1/udp/1/webrtc-direct'))).to.equal(true)
  })
})
