import { once } from 'node:events'
import { noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, Libp2p, PrivateKey } from '@libp2p/interface'
import { ping, type Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import {
  admissionEncrypter,
  ADMISSION_VERSION,
  issueTicket,
  meshIdOf,
  NOISE_ADMISSION_PROLOGUE,
  NOISE_ADMISSION_PROTOCOL,
  parseTicket,
  TLS_ADMISSION_PROTOCOL,
  type AdmissionHost,
  type CertificateBody,
  type Hello,
  type RefusalInfo,
  type Ticket,
} from '../../../protocols/admission/index.ts'
import { ticketCodec } from '../../../protocols/admission/codec.ts'
import type { Membership } from '../../../node/network/membership.ts'
import { certify, identity, membership, mesh, NOW, type Identity, type Mesh } from '../../unit/admission/fixtures.ts'

export type Node = Libp2p<{ ping: Ping }>
export type Inner = (components: never) => ConnectionEncrypter
export type Kind = 'noise' | 'tls'

export const TIMEOUT_MS = 400
export const innerOf = (kind: Kind): Inner =>
  kind === 'noise' ? noise({ prologueBytes: NOISE_ADMISSION_PROLOGUE }) : tls()
export const protocolOf = (kind: Kind): string => (kind === 'noise' ? NOISE_ADMISSION_PROTOCOL : TLS_ADMISSION_PROTOCOL)
export const admitting = (host: AdmissionHost, kind: Kind = 'noise', timeoutMs = 2500): Inner =>
  admissionEncrypter(innerOf(kind), host, { protocol: protocolOf(kind), timeoutMs })

/** A host that says what it is told to say, and takes anybody for a member. */
export const liar = (hello: Hello, told: RefusalInfo[] = []): AdmissionHost => ({
  hello: () => hello,
  admit: async (remote) => ({ member: { peerId: remote.toString(), name: 'x', cell: 'x', role: 'full', rights: [] } }),
  accepted: () => undefined,
  refused: (info) => told.push(info),
})

export const failureOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  )

export interface Scene {
  m: Mesh
  alpha: Membership
  stranger: Identity
}

export const hello = ({ m }: Scene, more: Partial<Hello> = {}): Hello => ({
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

export const ticketed =
  (body: Partial<Ticket>, alter: (bytes: Uint8Array) => void = () => undefined) =>
  async (scene: Scene): Promise<Hello> => {
    const { signature: _, ...own } = parseTicket((await scene.alpha.invite({ role: 'light', addresses: [] })).ticket)
    const bytes = ticketCodec.encode(await issueTicket(scene.m.alpha.key, { ...own, ...body }))
    alter(bytes)
    return hello(scene, { ticket: bytes })
  }

/** What makes a node refuse, whichever side it is on. */
export const BAD_HELLOS: Record<string, (scene: Scene) => Promise<Hello> | Hello> = {
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
export const BAD_TICKETS: typeof BAD_HELLOS = {
  E_TICKET_EXPIRED: ticketed({ expires: NOW }),
  E_TICKET_RIGHTS: ticketed({ cell: 'beta' }),
  E_TICKET_MESH: async (scene) => ticketed({ mesh: meshIdOf((await mesh()).genesis) })(scene),
  // The end of a signature is 0 in one of sixteen.
  E_TICKET_ALTERED: ticketed({}, (bytes) => bytes.set([bytes.at(-1)! ^ 1], bytes.length - 1)),
  E_TICKET_NOT_ISSUER: async (scene) => {
    const beta = membership(scene.m, scene.m.beta)
    const { ticket } = await beta.invite({ role: 'light', addresses: ['/ip4/192.0.2.7/tcp/1'] })
    return hello(scene, { ticket: ticketCodec.encode(parseTicket(ticket)) })
  },
  E_NAME_TAKEN: async (scene) => ({ ...(await ticketed({})(scene)), name: 'beta' }),
  E_TICKET_USED: async (scene) => {
    const used = await ticketed({})(scene)
    await scene.alpha.host.admit((await identity()).peerId, used)
    return used
  },
}

export async function newScene(): Promise<Scene> {
  const m = await mesh()
  return { m, alpha: membership(m, m.alpha), stranger: await identity() }
}

/** Nodes of one test, stopped together. */
export class Nodes {
  readonly #started: Node[] = []

  /** @param listen - on how many loopback ports */
  async start(privateKey: PrivateKey, encrypter: Inner, listen = 1): Promise<Node> {
    const node = await createLibp2p({
      privateKey,
      addresses: { listen: Array(listen).fill('/ip4/127.0.0.1/tcp/0') },
      transports: [tcp()],
      connectionEncrypters: [encrypter as (components: object) => ConnectionEncrypter],
      streamMuxers: [yamux()],
      connectionManager: { inboundUpgradeTimeout: 3000, inboundConnectionThreshold: 1000, reconnectRetries: 0 },
      services: { ping: ping() },
    })
    this.#started.push(node)
    return node
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((node) => node.stop()))
  }
}

export const refusalsOf = (member: Membership): RefusalInfo[] => {
  const told: RefusalInfo[] = []
  member.addEventListener('refused', ({ detail }) => told.push(detail))
  return told
}

export const refused = (member: Membership): Promise<unknown> => once(member as EventTarget, 'refused')
