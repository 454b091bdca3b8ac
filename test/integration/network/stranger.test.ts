import { noise } from '@chainsafe/libp2p-noise'
import { expect } from 'chai'
import type { Libp2p } from '@libp2p/interface'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { once } from 'node:events'
import type { Network } from '../../../node/network/types.ts'
import { NOISE_ADMISSION_PROTOCOL } from '../../../protocols/admission/index.ts'
import { addressOf, openTopic, TestMesh } from './mesh.ts'

const BITSWAP = '/ipfs/bitswap/1.2.0'

describe('network: a stranger', () => {
  let mesh: TestMesh
  let target: Network
  let stranger: Libp2p | undefined
  let served: string[]

  beforeEach(async () => {
    mesh = await TestMesh.create(['full'])
    target = await mesh.start(0, { topics: [openTopic('/t')] })
    served = []
    await target.libp2p.handle(BITSWAP, (stream) => {
      served.push(stream.protocol)
    })
    target.libp2p.addEventListener('peer:connect', ({ detail }) => served.push(`connected ${detail}`))
  })

  afterEach(async () => {
    await stranger?.stop()
    stranger = undefined
    await mesh.stopAll()
  })

  const wanted = () => [
    BITSWAP,
    '/meshsub/1.2.0',
    `/kairos/${mesh.meshId}/kad/1.0.0`,
    '/ipfs/id/1.0.0',
    '/kairos/status/1.0.0',
  ]

  async function plain(protocol: string): Promise<Libp2p> {
    return createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [(components) => Object.assign(Object.create(noise()(components) as object), { protocol })],
      streamMuxers: [yamux()],
      services: { identify: identify() },
    })
  }

  for (const protocol of ['/noise', NOISE_ADMISSION_PROTOCOL]) {
    it(`that speaks plain Noise under ${protocol} is answered by no protocol`, async function () {
      this.timeout(60_000)
      stranger = await plain(protocol)
      for (const service of wanted()) {
        const signal = AbortSignal.timeout(6000)
        const failure = await stranger
          .dialProtocol(multiaddr(addressOf(target)), service, { signal })
          .catch((error: unknown) => error)
        expect(failure, service).to.be.instanceOf(Error)
      }
      expect(served).to.deep.equal([])
      expect(target.libp2p.getConnections()).to.have.length(0)
    })
  }

  it('from another mesh is told so on both sides and is answered by no protocol', async () => {
    const otherMesh = await TestMesh.create(['full'])
    const other = await otherMesh.start(0)
    try {
      const failure = await other.connect(addressOf(target), AbortSignal.timeout(5000)).catch((error: unknown) => error)
      expect(failure).to.have.property('code', 'E_MESH_MISMATCH')
      for (const service of wanted()) {
        const refused = await other.libp2p
          .dialProtocol(multiaddr(addressOf(target)), service, { signal: AbortSignal.timeout(5000) })
          .catch((error: unknown) => error)
        expect(refused, service).to.be.instanceOf(Error)
      }
      expect(served).to.deep.equal([])
    } finally {
      await otherMesh.stopAll()
    }
  })

  it('does not keep a member out', async () => {
    const friends = await TestMesh.create(['full', 'full'])
    const a = await friends.start(0)
    const b = await friends.start(1)
    const connected = once(a.events, 'connected')
    await b.connect(addressOf(a), AbortSignal.timeout(5000))
    expect(await connected).to.deep.equal([{ peerId: friends.seat(1).peerId }])
    await friends.stopAll()
  })
})
