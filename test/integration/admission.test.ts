import { once } from 'node:events'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import {
  certificateCodec,
  formatTicket,
  joinHost,
  parseTicket,
  refusalFrom,
  type Joined,
  type RefusalInfo,
} from '../../protocols/admission/index.ts'
import { certify, codeThrownBy, identity, membership, MemoryStore, NOW, type Mesh } from '../unit/admission/fixtures.ts'
import {
  admitting,
  BAD_HELLOS,
  BAD_TICKETS,
  failureOf,
  hello,
  liar,
  newScene,
  Nodes,
  protocolOf,
  refusalsOf,
  refused,
  ticketed,
  type Scene,
} from './admission/scene.ts'

describe('admission between two nodes over TCP', () => {
  const nodes = new Nodes()
  const start: Nodes['start'] = (...args) => nodes.start(...args)
  let scene: Scene
  let m: Mesh

  beforeEach(async () => {
    scene = await newScene()
    m = scene.m
  })

  afterEach(() => nodes.stop())

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
      await nodes.stop()
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
