import { once } from 'node:events'
import { connect } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, SecuredConnection } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { expect } from 'chai'
import { Uint8ArrayList } from 'uint8arraylist'
import {
  admissionEncrypter,
  MAX_BUFFERED_BYTES,
  MAX_HELLO_BYTES,
  NOISE_ADMISSION_PROTOCOL,
  refusalFrom,
  type RefusalInfo,
} from '../../../protocols/admission/index.ts'
import { messageCodec } from '../../../protocols/admission/codec.ts'
import { membership, type Mesh } from '../../unit/admission/fixtures.ts'
import {
  admitting,
  failureOf,
  hello,
  innerOf,
  liar,
  newScene,
  Nodes,
  refusalsOf,
  refused,
  TIMEOUT_MS,
  type Inner,
  type Node,
  type Scene,
} from './scene.ts'

describe('admission under abuse', () => {
  const nodes = new Nodes()
  const start: Nodes['start'] = (...args) => nodes.start(...args)
  let scene: Scene
  let m: Mesh

  beforeEach(async () => {
    scene = await newScene()
    m = scene.m
  })

  afterEach(() => nodes.stop())

  it('delivers 30 of 30 refusals', async () => {
    const listener = await start(m.alpha.key, admitting(scene.alpha.host))
    const dialer = await start(scene.stranger.key, admitting(liar(hello(scene))), 0)
    const codes = new Set<string | undefined>()
    for (let i = 0; i < 30; i++) codes.add(refusalFrom(await failureOf(dialer.dial(listener.getMultiaddrs())))?.code)
    expect([...codes]).to.deep.equal(['E_CERT_MISSING'])
  })

  it('has no common language with a node of plain Noise', async () => {
    const listener = await start(m.alpha.key, admitting(scene.alpha.host))
    const plain = await start(scene.stranger.key, noise() as Inner)
    expect(await failureOf(plain.dial(listener.getMultiaddrs()))).to.be.instanceOf(Error)
    const error = await failureOf(listener.dial(plain.getMultiaddrs()))
    expect(error).to.be.instanceOf(Error)
    expect([plain.getConnections(), listener.getConnections()]).to.deep.equal([[], []])
  })

  it('never answers a stranger that skips the exchange', async () => {
    const told = refused(scene.alpha)
    const listener = await start(m.alpha.key, admitting(scene.alpha.host, 'noise', TIMEOUT_MS))
    const skipping: Inner = (components) =>
      Object.assign(innerOf('noise')(components), { protocol: NOISE_ADMISSION_PROTOCOL })
    const dialer = await start(scene.stranger.key, skipping, 0)
    const pinged = failureOf(
      dialer.dial(listener.getMultiaddrs()).then(() => dialer.services.ping.ping(m.alpha.peerId)),
    )
    expect(await pinged).to.be.instanceOf(Error)
    await told
    expect(listener.getConnections()).to.deep.equal([])
  })

  describe('a dialer that floods is cut', () => {
    const flood = async (bytes: Uint8Array): Promise<unknown> => {
      const hanging = { ...scene.alpha.host, admit: () => new Promise<never>(() => undefined) }
      const listener = await start(m.alpha.key, admitting(hanging, 'noise', 5000))
      const flooding: Inner = (components) => {
        const inner = innerOf('noise')(components)
        const secure = inner.secureOutbound.bind(inner)
        const secureOutbound: ConnectionEncrypter['secureOutbound'] = async (connection, options) => {
          const secured = await secure(connection, options)
          const frames = lpStream(secured.connection)
          await frames.write(bytes)
          const answer = messageCodec.decode((await frames.read()).subarray())
          throw new Error('refused' in answer ? answer.refused : 'answered')
        }
        return Object.assign(inner, { protocol: NOISE_ADMISSION_PROTOCOL, secureOutbound })
      }
      const dialer = await start(scene.stranger.key, flooding, 0)
      return failureOf(dialer.dial(listener.getMultiaddrs()))
    }

    it('by a frame over the limit: it reads E_ADMISSION_MALFORMED', async () => {
      expect(String(await flood(new Uint8Array(MAX_HELLO_BYTES + 1)))).to.contain('E_ADMISSION_MALFORMED')
    })

    it('by more than the buffer holds, whatever the check is doing', async () => {
      const begun = performance.now()
      const error = await flood(new Uint8Array(4 * MAX_BUFFERED_BYTES))
      expect(error).to.be.instanceOf(Error)
      expect(performance.now() - begun).to.be.below(3000)
    })
  })

  describe('a dialer that stalls is cut in time', () => {
    const cut = async (stall: (listener: Node) => Promise<unknown>): Promise<RefusalInfo> => {
      const told = refusalsOf(scene.alpha)
      const event = refused(scene.alpha)
      const listener = await start(m.alpha.key, admitting(scene.alpha.host, 'noise', TIMEOUT_MS))
      const begun = performance.now()
      await Promise.all([stall(listener), event])
      expect(performance.now() - begun).to.be.within(TIMEOUT_MS * 0.9, TIMEOUT_MS + 1500)
      return told[0]!
    }

    it('before it has proven its key', async () => {
      const info = await cut(async (listener) => {
        const socket = connect(Number(/tcp\/(\d+)/.exec(String(listener.getMultiaddrs()[0]))![1]), '127.0.0.1')
        socket.on('error', () => undefined).resume()
        for (const line of ['/multistream/1.0.0\n', `${NOISE_ADMISSION_PROTOCOL}\n`]) {
          socket.write(Buffer.from([line.length, ...Buffer.from(line)]))
        }
        await new Promise((resolve) => socket.once('close', resolve))
      })
      expect(info).to.deep.include({ code: 'E_ADMISSION_TIMEOUT', side: 'local' })
      expect(info).not.to.have.property('peerId')
    })

    it('before it has said hello', async () => {
      const info = await cut(async (listener) => {
        const silent: Inner = (components) => {
          const inner = innerOf('noise')(components)
          const secure = inner.secureOutbound.bind(inner)
          const secureOutbound: ConnectionEncrypter['secureOutbound'] = async (connection, options) => {
            const secured = await secure(connection, options)
            await once(secured.connection as EventTarget, 'close')
            throw new Error('hung up')
          }
          return Object.assign(inner, { protocol: NOISE_ADMISSION_PROTOCOL, secureOutbound })
        }
        const dialer = await start(scene.stranger.key, silent, 0)
        expect(await failureOf(dialer.dial(listener.getMultiaddrs()))).to.be.instanceOf(Error)
      })
      expect(info).to.deep.include({ peerId: scene.stranger.id, code: 'E_ADMISSION_TIMEOUT', side: 'local' })
    })

    it('while a check of ours hangs: the peer reads the code', async () => {
      const hanging = { ...scene.alpha.host, admit: () => new Promise<never>(() => undefined) }
      const listener = await start(m.alpha.key, admitting(hanging, 'noise', TIMEOUT_MS))
      const dialer = await start(scene.stranger.key, admitting(liar(hello(scene))), 0)
      const error = await failureOf(dialer.dial(listener.getMultiaddrs()))
      expect(refusalFrom(error)?.code).to.equal('E_ADMISSION_TIMEOUT')
    })
  })

  it('keeps muxer data that comes in one packet with the last message of the exchange', async () => {
    const beta = membership(m, m.beta)
    let packet = 0
    /** Holds everything after the hello until the muxer has spoken too, then sends it as one. */
    const coalesce = ({ connection }: SecuredConnection): void => {
      const send = connection.send.bind(connection)
      const held = new Uint8ArrayList()
      let sends = 0
      connection.send = (data) => {
        if (++sends === 1) return send(data)
        held.append(data)
        if (sends < 4) return true
        connection.send = send
        packet = held.byteLength
        return send(held)
      }
    }
    const coalescing: Inner = (components) => {
      const inner = innerOf('noise')(components)
      const secure = inner.secureOutbound.bind(inner)
      return Object.assign(inner, {
        secureOutbound: async (...args: Parameters<ConnectionEncrypter['secureOutbound']>) => {
          const secured = await secure(...args)
          coalesce(secured)
          return secured
        },
      })
    }
    const listener = await start(m.alpha.key, admitting(scene.alpha.host))
    const encrypter = admissionEncrypter(coalescing, beta.host, { protocol: NOISE_ADMISSION_PROTOCOL })
    const dialer = await start(m.beta.key, encrypter, 0)
    await dialer.dial(listener.getMultiaddrs())
    expect(await dialer.services.ping.ping(m.alpha.peerId)).to.be.a('number')
    expect(packet).to.be.greaterThan(20)
  })
})
