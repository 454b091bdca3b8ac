import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { ConnectionEncrypter, Ed25519PrivateKey, Libp2p } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { createMembership, type Membership } from '../../node/network/membership.ts'
import {
  admissionEncrypter,
  createGenesis,
  issueCertificate,
  meshIdOf,
  NOISE_ADMISSION_PROLOGUE,
  NOISE_ADMISSION_PROTOCOL,
  type Certificate,
  type Genesis,
} from '../../protocols/admission/index.ts'
import { quantile, type Figure } from './figure.ts'

const WARM_UP = 20
const DIALS = 200

/**
 * What admission adds to a dial: the same two nodes over loopback TCP, plain Noise and admission
 * in turns, so that both meet the same machine. The dialer shows a chain of the full depth.
 */
export async function benchAdmission(): Promise<Figure[]> {
  const { founder, leaf } = await members()
  const plain = await pair(founder.key, leaf.key, noise() as Encrypter, noise() as Encrypter)
  const admitted = await pair(founder.key, leaf.key, admitting(founder.membership), admitting(leaf.membership))
  const times: Record<'plain' | 'admitted', number[]> = { plain: [], admitted: [] }
  for (let i = 0; i < WARM_UP + DIALS; i++) {
    const [plainMs, admittedMs] = [await plain.dial(), await admitted.dial()]
    if (i < WARM_UP) continue
    times.plain.push(plainMs)
    times.admitted.push(admittedMs)
  }
  await Promise.all([plain.stop(), admitted.stop()])
  const added = (share: number): number => quantile(times.admitted, share) - quantile(times.plain, share)
  return [
    { name: 'dial, plain noise, p50', value: quantile(times.plain, 0.5), unit: 'ms' },
    {
      name: 'dial, admission, p50',
      value: quantile(times.admitted, 0.5),
      unit: 'ms',
      baseline: 'dial, plain noise, p50',
    },
    { name: 'admission adds to a dial, p50', value: added(0.5), unit: 'ms', target: '≤ 5' },
    { name: 'admission adds to a dial, p95', value: added(0.95), unit: 'ms' },
  ]
}

type Encrypter = (components: object) => ConnectionEncrypter
interface Party {
  key: Ed25519PrivateKey
  membership: Membership
}

async function members(): Promise<{ founder: Party; leaf: Party }> {
  const keys = await Promise.all(Array.from({ length: 5 }, () => generateKeyPair('Ed25519')))
  const [founder, leaf] = [keys[0]!, keys.at(-1)!]
  const genesis = createGenesis([{ peerId: idOf(founder), name: 'alpha', role: 'full', cell: 'alpha' }], {
    name: 'bench',
  })
  const chain = await Promise.all(keys.slice(1).map((subject, i) => certify(genesis, keys[i]!, subject)))
  const party = (privateKey: Ed25519PrivateKey, own: Certificate[]): Party => ({
    key: privateKey,
    membership: createMembership({ privateKey, genesis, chain: own, name: 'bench', store: emptyStore }),
  })
  return { founder: party(founder, []), leaf: party(leaf, chain) }
}

const emptyStore = { get: async () => undefined, put: async () => undefined }
const idOf = (key: Ed25519PrivateKey): string => peerIdFromPrivateKey(key).toString()

function certify(genesis: Genesis, issuer: Ed25519PrivateKey, subject: Ed25519PrivateKey): Promise<Certificate> {
  return issueCertificate(issuer, {
    mesh: meshIdOf(genesis),
    subject: idOf(subject),
    name: 'bench',
    cell: 'alpha',
    role: 'full',
    rights: ['issue'],
    issuer: idOf(issuer),
    issued: Date.now(),
  })
}

function admitting({ host }: Membership): Encrypter {
  const inner = noise({ prologueBytes: NOISE_ADMISSION_PROLOGUE }) as Encrypter
  return admissionEncrypter(inner, host, { protocol: NOISE_ADMISSION_PROTOCOL })
}

async function pair(
  listenerKey: Ed25519PrivateKey,
  dialerKey: Ed25519PrivateKey,
  inbound: Encrypter,
  outbound: Encrypter,
): Promise<{ dial(): Promise<number>; stop(): Promise<unknown> }> {
  const [listener, dialer] = await Promise.all([
    start(listenerKey, inbound, ['/ip4/127.0.0.1/tcp/0']),
    start(dialerKey, outbound, []),
  ])
  return {
    async dial() {
      const begun = performance.now()
      const connection = await dialer.dial(listener.getMultiaddrs())
      const took = performance.now() - begun
      await connection.close()
      return took
    },
    stop: () => Promise.all([listener.stop(), dialer.stop()]),
  }
}

function start(privateKey: Ed25519PrivateKey, encrypter: Encrypter, listen: string[]): Promise<Libp2p> {
  return createLibp2p({
    privateKey,
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [encrypter],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 100_000, maxIncomingPendingConnections: 100, reconnectRetries: 0 },
  })
}
