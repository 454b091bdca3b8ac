import { once } from 'node:events'
import { connect } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { ConnectionEncrypter, Libp2p, PrivateKey, SecuredConnection } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { ping, type Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { expect } from 'chai'
import { createLibp2p } from 'libp2p'
import { Uint8ArrayList } from 'uint8arraylist'
import {
  admissionEncrypter,
  ADMISSION_VERSION,
  certificateCodec,
  formatTicket,
  issueTicket,
  joinHost,
  MAX_BUFFERED_BYTES,
  MAX_HELLO_BYTES,
  meshIdOf,
  NOISE_ADMISSION_PROLOGUE,
  NOISE_ADMISSION_PROTOCOL,
  parseTicket,
  refusalFrom,
  TLS_ADMISSION_PROTOCOL,
  type AdmissionHost,
  type CertificateBody,
  type Hello,
  type Joined,
  type RefusalInfo,
  type Ticket,
} from '../../protocols/admission/index.ts'
import { messageCodec, ticketCodec } from '../../protocols/admission/codec.ts'
import type { Membership } from '../../node/network/membership.ts'
import {
  certify,
  codeThrownBy,
  identity,
  membership,
  MemoryStore,
  mesh,
  NOW,
  type Identity,
  type Mesh,
} from '../unit/admission/fixtures.ts'

type Node = Libp2p<{ ping: Ping }>
type Inner = (components: never) => ConnectionEncrypter
type Kind = 'noise' | 'tls'

const TIMEOUT_MS = 400
const innerOf = (kind: Kind): Inner => (kind === 'noise' ? noise({ prologueBytes: NOISE_ADMISSION_PROLOGUE }) : tls())
const protocolOf = (kind: Kind): string => (kind === 'noise' ? NOISE_ADMISSION_PROTOCOL : TLS_ADMISSION_PROTOCOL)
const admitting = (host: AdmissionHost, kind: Kind = 'noise', timeoutMs = 2500): Inner =>
  admissionEncrypter(innerOf(kind), host, { protocol: protocolOf(kind), timeoutMs })

/** A host that says what it is told to say, and takes anybody for a member. */
const liar = (hello: Hello, told: RefusalInfo[] = []): AdmissionHost => ({
  hello: () => hello,
  admit: async (remote) => ({ member: { peerId: remote.toString(), name: 'x', cell: 'x', role: 'full', rights: [] } }),
  accepted: () => undefined,
  refused: (info) => told.push(info),
})

const failureOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  )

interface Scene {
  m: Mesh
  alpha: Membership
  stranger: Identity
}

const hello = ({ m }: Scene, more: Partial<Hello> = {}): Hello => ({
  mesh: meshIdOf(m.genesis),
  version: ADMISSION_VERSION,
  name: 'stranger',
  ...more,
})

const certified =
  (body: Partial<CertificateBody>, signer?: (scene: Scene) => Identity) =>
  async (scene: Scene): Promise<Hello> => {
    const { m, stranger } = scene
    return hello(scene, { chain: [await certify(m, signer?.(scene) ?? m.alpha, stranger, body)] })
  }

const ticketed =
  (body: Partial<Ticket>, alter: (bytes: Uint8Array) => void = () => undefined) =>
  async (scene: Scene): Promise<Hello> => {
    const { signature: _, ...own } = parseTicket((await scene.alpha.invite({ role: 'light', addresses: [] })).ticket)
    const bytes = ticketCodec.encode(await issueTicket(scene.m.alpha.key, { ...own, ...body }))
    alter(bytes)
    return hello(scene, { ticket: bytes })
  }

/** What makes a node refuse, whichever side it is on. */
const BAD_HELLOS: Record<string, (scene: Scene) => Promise<Hello> | Hello> = {
  E_MESH_MISMATCH: async (scene) => hello(scene, { mesh: meshIdOf((await mesh()).genesis) }),
  E_VERSION_UNSUPPORTED: (scene) => hello(scene, { version: 99 }),
  E_CERT_MISSING: (scene) => hello(scene),
  E_CERT_EXPIRED: certified({ expires: NOW }),
  E_CERT_SIGNATURE: async (scene) => {
    const { chain } = await certified({})(scene)
    return hello(scene, { chain: [{ ...chain![0]!, name: 'other' }] })
  },
  E_CERT_DEPTH: async (scene) => {
    const { chain } = await certified({})(scene)
    return hello(scene, { chain: Array(5).fill(chain![0]!) })
  },
  E_CERT_CROSSES_CELLS: certified({ cell: 'beta' }),
  E_CERT_NOT_FROM_GENESIS: certified({}, ({ stranger }) => stranger),
  E_CERT_RIGHTS: certified({ role: 'light', rights: ['issue'] }),
  E_CERT_SUBJECT: async (scene) => hello(scene, { chain: [await certify(scene.m, scene.m.alpha, scene.m.beta)] }),
  E_ADMISSION_MALFORMED: (scene) => hello(scene, { name: 'a\nb' }),
}

/** What only a listener can be asked. */
const BAD_TICKETS: typeof BAD_HELLOS = {
  E_TICKET_EXPIRED: ticketed({ expires: NOW }),
  E_TICKET_RIGHTS: ticketed({ cell: 'beta' }),
  E_TICKET_MESH: async (scene) => ticketed({ mesh: meshIdOf((await mesh()).genesis) })(scene),
  E_TICKET_ALTERED: ticketed({}, (bytes) => bytes.fill(0, -1)),
  E_TICKET_NOT_ISSUER: async (scene) => {
    const beta = membership(scene.m, scene.m.beta)
    const { ticket } = await beta.invite({ role: 'light', addresses: ['/ip4/192.0.2.7/tcp/1'] })
    return hello(scene, { ticket: ticketCodec.encode(parseTicket(ticket)) })
  },
  E_TICKET_USED: async (scene) => {
    const used = await ticketed({})(scene)
    await scene.alpha.host.admit((await identity()).peerId, used)
    return used
  },
}

describe('admission between two nodes over TCP', () => {
  const started: Node[] = []
  let scene: Scene
  let m: Mesh

  beforeEach(async () => {
    m = await mesh()
    scene = { m, alpha: membership(m, m.alpha), stranger: await identity() }
  })

  afterEach(async () => {
    await Promise.all(started.splice(0).map((node) => node.stop()))
  })

  async function start(privateKey: PrivateKey, encrypter: Inner, listen = 1): Promise<Node> {
    const node = await createLibp2p({
      privateKey,
      addresses: { listen: Array(listen).fill('/ip4/127.0.0.1/tcp/0') },
      transports: [tcp()],
      connectionEncrypters: [encrypter as (components: object) => ConnectionEncrypter],
      streamMuxers: [yamux()],
      connectionManager: { inboundUpgradeTimeout: 3000, inboundConnectionThreshold: 1000, reconnectRetries: 0 },
      services: { ping: ping() },
    })
    started.push(node)
    return node
  }

  const refusalsOf = (member: Membership): RefusalInfo[] => {
    const told: RefusalInfo[] = []
    member.addEventListener('refused', ({ detail }) => told.push(detail))
    return told
  }

  const refused = (member: Membership): Promise<unknown> => once(member as EventTarget, 'refused')

  for (const kind of ['noise', 'tls'] as const) {
    it(`${kind}: connects two members, each knowing the other before its first stream`, async () => {
      const light = await identity()
      const chain = [await certify(m, m.alpha, light, { role: 'light', name: 'leaf' })]
      const leaf = membership(m, light, { chain })
      const listener = await start(m.alpha.key, admitting(scene.alpha.host, kind))
      const dialer = await start(light.key, admitting(leaf.host, kind), 0)
      let knownAtConnect: string | undefined
      listener.addEventListener('peer:connect', ({ detail }) => (knownAtConnect = scene.alpha.member(detail)?.name))
      const connection = await dialer.dial(listener.getMultiaddrs())
      expect(connection.encryption).to.equal(protocolOf(kind))
      expect(await dialer.services.ping.ping(m.alpha.peerId)).to.be.a('number')
      expect(knownAtConnect).to.equal('leaf')
      expect(leaf.member(m.alpha.id)?.name).to.equal('alpha')
    })

    for (const [code, say] of Object.entries({ ...BAD_HELLOS, ...BAD_TICKETS })) {
      it(`${kind}: a listener refuses with ${code}, the dialer reads it, nobody is connected`, async () => {
        const told = refusalsOf(scene.alpha)
        const heard: RefusalInfo[] = []
        const listener = await start(m.alpha.key, admitting(scene.alpha.host, kind))
        const dialer = await start(scene.stranger.key, admitting(liar(await say(scene), heard), kind), 0)
        const connected: string[] = []
        for (const node of [listener, dialer]) {
          node.addEventListener('peer:connect', () => connected.push('peer'))
          node.addEventListener('connection:open', () => connected.push('connection'))
        }
        const error = refusalFrom(await failureOf(dialer.dial(listener.getMultiaddrs())))
        expect(error?.code).to.equal(code)
        expect(error?.message).to.match(/^the peer refused this node: /)
        expect(error?.hint).to.be.a('string')
        expect(heard.map((info) => [info.peerId, info.code, info.side])).to.deep.equal([[m.alpha.id, code, 'remote']])
        if (told.length === 0) await refused(scene.alpha)
        expect(told.map((info) => [info.peerId, info.code, info.side])).to.deep.equal([
          [scene.stranger.id, code, 'local'],
        ])
        expect(connected).to.deep.equal([])
      })
    }

    for (const [code, say] of Object.entries(BAD_HELLOS)) {
      it(`${kind}: a dialer refuses with ${code}, the listener reads it, nobody is connected`, async () => {
        const heard = Promise.withResolvers<RefusalInfo>()
        const host = { ...liar(await say(scene)), refused: heard.resolve }
        const listener = await start(scene.stranger.key, admitting(host, kind))
        const dialer = await start(m.alpha.key, admitting(scene.alpha.host, kind), 0)
        const error = refusalFrom(await failureOf(dialer.dial(listener.getMultiaddrs())))
        expect(error?.code).to.equal(code)
        expect(error?.message).to.match(/^this node refused the peer: /)
        expect(await heard.promise).to.deep.include({ peerId: m.alpha.id, code, side: 'remote' })
        expect([listener.getConnections(), dialer.getConnections()]).to.deep.equal([[], []])
      })
    }
  }

  it('refuses another key type: E_KEY_WEAK', async () => {
    const key = await generateKeyPair('secp256k1')
    const listener = await start(m.alpha.key, admitting(scene.alpha.host))
    const dialer = await start(key, admitting(liar(hello(scene))), 0)
    const error = await failureOf(dialer.dial(listener.getMultiaddrs()))
    expect(refusalFrom(error)?.code).to.equal('E_KEY_WEAK')
    expect(scene.alpha.member(peerIdFromPrivateKey(key))).to.equal(undefined)
  })

  it('hides its own failure: the dialer reads E_ADMISSION_UNAVAILABLE and no more', async () => {
    const store = new MemoryStore()
    store.put = () => Promise.reject(new Error('disk full at /secret/path'))
    const fatal: unknown[] = []
    const broken = membership(m, m.alpha, { store, fatal: (error) => fatal.push(error) })
    const listener = await start(m.alpha.key, admitting(broken.host))
    const dialer = await start(scene.stranger.key, admitting(liar(await ticketed({})(scene))), 0)
    const error = refusalFrom(await failureOf(dialer.dial(listener.getMultiaddrs())))
    expect(error?.code).to.equal('E_ADMISSION_UNAVAILABLE')
    expect(error?.message).not.to.contain('secret')
    expect(fatal).to.have.length(1)
  })

  it("reads the code among the failures of several addresses, and the issuer's own addresses", async () => {
    const listener = await start(m.alpha.key, admitting(scene.alpha.host), 2)
    const dialer = await start(scene.stranger.key, admitting(liar(await BAD_TICKETS.E_TICKET_NOT_ISSUER!(scene))), 0)
    expect(listener.getMultiaddrs()).to.have.length(2)
    const error = await failureOf(dialer.dial(listener.getMultiaddrs()))
    expect(error).to.be.instanceOf(AggregateError)
    expect(refusalFrom(error)?.code).to.equal('E_TICKET_NOT_ISSUER')
    expect(refusalFrom(error)?.message).to.contain(`${m.beta.id} at /ip4/192.0.2.7/tcp/1`)
  })

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

  it('trades a ticket for a certificate, the same again after a restart of the issuer, and then connects', async () => {
    const store = new MemoryStore()
    const joined: Joined[] = []
    let ticket = ''
    for (let life = 0; life < 2; life++) {
      const issuer = membership(m, m.alpha, { store })
      const listener = await start(m.alpha.key, admitting(issuer.host))
      if (life === 0) {
        const addresses = listener.getMultiaddrs().map((address) => address.decapsulateCode(421).toString())
        ticket = (await issuer.invite({ role: 'witness', addresses })).ticket
      }
      const joining = joinHost({
        ticket: parseTicket(ticket),
        self: scene.stranger.peerId,
        name: 'eye',
        now: () => NOW,
      })
      const dialer = await start(scene.stranger.key, admitting(joining.host), 0)
      await Promise.all([once(issuer as EventTarget, 'admitted'), dialer.dial(listener.getMultiaddrs())])
      joined.push(joining.joined()!)
      expect(issuer.member(scene.stranger.id)).to.deep.include({ name: 'eye', role: 'witness', cell: 'alpha' })
      await Promise.all(started.splice(0).map((node) => node.stop()))
    }
    const [first, second] = joined.map(({ chain }) => certificateCodec.encode(chain[0]!))
    expect(second).to.deep.equal(first)
    expect(formatTicket(parseTicket(ticket))).to.equal(ticket)

    const [{ genesis, chain }] = joined as [Joined]
    const eye = membership({ genesis }, scene.stranger, { chain })
    const beta = await start(m.beta.key, admitting(membership(m, m.beta).host))
    const node = await start(scene.stranger.key, admitting(eye.host), 0)
    await node.dial(beta.getMultiaddrs())
    expect(await node.services.ping.ping(m.beta.peerId)).to.be.a('number')
  })

  it('gives one certificate to two keys that race for a ticket of one use', async () => {
    const listener = await start(m.alpha.key, admitting(scene.alpha.host))
    const said = await ticketed({})(scene)
    const codes = await Promise.all(
      [scene.stranger, await identity()].map(async (who) => {
        const dialer = await start(who.key, admitting(liar(said)), 0)
        return codeThrownBy(async () => {
          const error = await failureOf(dialer.dial(listener.getMultiaddrs()))
          if (error !== undefined) throw refusalFrom(error) ?? error
        })
      }),
    )
    expect(codes.sort()).to.deep.equal(['E_TICKET_USED', 'none'])
  })
})
