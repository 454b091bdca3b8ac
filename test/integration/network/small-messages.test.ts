import { once } from 'node:events'
import { createServer, connect as openSocket, type AddressInfo } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import type { Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { createLibp2p } from 'libp2p'
import { coalescingTcp } from '../../../node/network/tcp.ts'
import { sparingYamux } from '../../../node/network/yamux.ts'
import { until } from '../../helpers/libp2p-pair.ts'

const PROTOCOL = '/test/small/1.0.0'
const WINDOW = 262_144

describe('network: small messages', () => {
  const nodes: Libp2p[] = []
  const closing: (() => void)[] = []

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.stop()))
    for (const close of closing.splice(0)) close()
  })

  it('one message is one packet, and costs none in the other direction', async () => {
    const { stream, received, wire } = await linked()
    // The first exchange opens the stream.
    await send(stream, received, 100)
    const before = { forth: wire.forth.length, back: wire.back.length }
    for (let n = 0; n < 50; n++) await send(stream, received, 100)
    const forth = wire.forth.slice(before.forth)
    expect(forth.filter((bytes) => bytes <= 2)).to.deep.equal([])
    expect(forth.filter((bytes) => bytes > 100)).to.have.length(50)
    const back = wire.back.slice(before.back).reduce((sum, bytes) => sum + bytes, 0)
    expect(back, 'bytes back for 5 000 bytes forth').to.be.below(500)
  })

  it('the window is given back before it is used up: as many bytes as one likes go through', async () => {
    const { stream, received } = await linked()
    const total = 40 * WINDOW
    for (let sent = 0; sent < total; sent += WINDOW) {
      if (!stream.send(new Uint8Array(WINDOW))) await stream.onDrain()
    }
    await until(() => received.bytes === total)
  })

  it('a paused reader holds its sender back, and goes on where it stopped', async () => {
    const { stream, received } = await linked()
    await send(stream, received, 1)
    received.stream!.pause()
    for (let sent = 0; sent < 8; sent++) stream.send(new Uint8Array(WINDOW))
    await until(() => stream.writableNeedsDrain)
    expect(received.bytes).to.equal(1)
    received.stream!.resume()
    await until(() => received.bytes === 8 * WINDOW + 1)
  })

  async function send(stream: Stream, received: { bytes: number }, bytes: number): Promise<void> {
    const wanted = received.bytes + bytes
    stream.send(new Uint8Array(bytes))
    await until(() => received.bytes === wanted)
  }

  /** Two nodes with a wire between them that tells the size of each packet. */
  async function linked() {
    const [from, to] = [await start(), await start()]
    const received = { bytes: 0, stream: undefined as Stream | undefined }
    await to.handle(PROTOCOL, (stream) => {
      received.stream = stream
      stream.addEventListener('message', ({ data }) => (received.bytes += data.byteLength))
    })
    const wire = { forth: [] as number[], back: [] as number[] }
    const target = to
      .getMultiaddrs()[0]!
      .getComponents()
      .find(({ name }) => name === 'tcp')!.value!
    const server = createServer((near) => {
      const far = openSocket(Number(target), '127.0.0.1')
      near.on('data', (data) => (wire.forth.push(data.length), far.write(data)))
      far.on('data', (data) => (wire.back.push(data.length), near.write(data)))
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const)
        one.on('error', () => other.destroy()).on('close', () => other.destroy())
      closing.push(() => near.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close())
    const { port } = server.address() as AddressInfo
    const stream = await from.dialProtocol(multiaddr(`/ip4/127.0.0.1/tcp/${port}/p2p/${to.peerId}`), PROTOCOL)
    return { stream, received, wire }
  }

  async function start(): Promise<Libp2p> {
    const node = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [coalescingTcp({})],
      connectionEncrypters: [noise()],
      streamMuxers: [
        sparingYamux({ streamOptions: { initialStreamWindowSize: WINDOW, maxStreamWindowSize: 4 * WINDOW } }),
      ],
      connectionMonitor: { enabled: false },
    })
    nodes.push(node)
    return node
  }
})
