import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import {
  ADMISSION_VERSION,
  createGenesis,
  issueCertificate,
  issueTicket,
  meshIdOf,
  type Ticket,
} from '../../../protocols/admission/index.ts'
import {
  certificateCodec,
  chainCodec,
  genesisCodec,
  messageCodec,
  ticketCodec,
  welcomeCodec,
} from '../../../protocols/admission/codec.ts'
import { answerCodec as auditAnswerCodec, requestCodec as auditRequestCodec } from '../../../protocols/audit/codec.ts'
import { frameCodec as bftFrameCodec, refusalCodec as bftRefusalCodec } from '../../../protocols/bft/codec.ts'
import {
  answerCodec as blocksAnswerCodec,
  requestCodec as blocksRequestCodec,
} from '../../../protocols/blocks/codec.ts'
import { encodeReport, envelopeCodec, type PhaseReport } from '../../../protocols/phase/codec.ts'
import { pinsAnswerCodec, pinsRequestCodec } from '../../../protocols/pins/codec.ts'
import { frameCodec, requestCodec } from '../../../protocols/query/codec.ts'
import { answerCodec, messageCodec as raftMessageCodec, openingCodec } from '../../../protocols/raft/codec.ts'
import { statusCodec } from '../../../protocols/status/index.ts'
import { answerCodec as syncAnswerCodec, requestCodec as syncRequestCodec } from '../../../protocols/sync/codec.ts'

const key = await generateKeyPair('Ed25519')
const issuer = peerIdFromPrivateKey(key).toString()
const genesis = createGenesis([{ peerId: issuer, name: 'one', role: 'full', cell: 'home' }], { name: 'fuzz' })
const mesh = meshIdOf(genesis)
const grant = { mesh, cell: 'home', role: 'light' as const, rights: [], issuer }
const subject = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
const certificate = await issueCertificate(key, { ...grant, subject, name: 'two', issued: 1 })

/** A ticket that is valid in itself. */
export const TICKET: Ticket = await issueTicket(key, {
  ...grant,
  expires: 2_000_000_000_000,
  uses: 1,
  nonce: new Uint8Array(16).fill(7),
  addresses: ['/ip4/127.0.0.1/tcp/18789'],
  chain: [],
})

const report: PhaseReport = {
  mesh: CID.parse(mesh).bytes,
  author: key.publicKey.raw,
  epoch: 12,
  seq: 34,
  periodMs: 1000,
  time: 1_700_000_000_000,
  emissary: [2 ** 29, -(2 ** 28)],
  master: [1, -1],
  sync: [0, 2 ** 30],
  nEffMilli: 20_000,
  collapsed: { emissary: true, master: false, sync: true },
  alignment: { magnitude: 5, argument: 3_000_000 },
  heads: [CID.parse(mesh).bytes],
}
const hello = {
  mesh,
  version: ADMISSION_VERSION,
  name: 'one',
  chain: [certificate],
  ticket: ticketCodec.encode(TICKET),
}
const body = encodeReport(report)

/** One valid frame of every decoder, by its name: where the mutations start. */
export const SAMPLES: Readonly<Record<string, Uint8Array>> = {
  certificate: certificateCodec.encode(certificate),
  'certificate chain': chainCodec.encode([certificate]),
  ticket: ticketCodec.encode(TICKET),
  genesis: genesisCodec.encode(genesis),
  'admission message': messageCodec.encode({ hello }),
  'admission welcome': welcomeCodec.encode({ hello: { ...hello, welcome: { certificate: [certificate], genesis } } }),
  'audit request': auditRequestCodec.encode({
    type: 'challenge',
    pin: mesh,
    salt: new Uint8Array(32).fill(4),
    blocks: [CID.parse(mesh).multihash.bytes, CID.parse(mesh).multihash.bytes],
  }),
  'audit answer': auditAnswerCodec.encode({
    type: 'results',
    rows: [
      [mesh, issuer, true, 1_000],
      [mesh, subject, false, 20],
    ],
    next: 1_700_000_000_000,
  }),
  'bft frame': bftFrameCodec.encode({
    type: 'part',
    height: 12,
    round: 1,
    value: CID.parse(mesh).bytes,
    index: 1,
    total: 2,
    bytes: new Uint8Array(40).fill(6),
  }),
  'bft refusal': bftRefusalCodec.encode({ type: 'refused', code: 'E_BFT_STRANGER', message: 'no full node' }),
  'blocks request': Buffer.concat(
    blocksRequestCodec.encode({
      type: 'push',
      blocks: [1, 2].map((size) => ({ cid: CID.parse(mesh).bytes, bytes: new Uint8Array(20 * size).fill(size) })),
    }),
  ),
  'blocks answer': Buffer.concat(
    blocksAnswerCodec.encode({
      type: 'blocks',
      blocks: [{ cid: CID.parse(mesh).bytes, bytes: new Uint8Array(30).fill(3) }],
      absent: [CID.parse(mesh).bytes],
    }),
  ),
  'phase report': body,
  'phase envelope': envelopeCodec.encode({ b: body, s: new Uint8Array(64).fill(9) }),
  'pins request': pinsRequestCodec.encode({ op: 'add', args: ['bafkqaaa', { name: 'a', metadata: { k: 'v' } }] }),
  'pins answer': pinsAnswerCodec.encode({ type: 'done', document: { cid: 'bafkqaaa', allocations: ['x'] } }),
  'query request': requestCodec.encode({ what: 'coherence', params: { history: 5 } }),
  'query answer': frameCodec.encode({ type: 'row', row: { a: [1, 'two', null, { b: true }] } }),
  'raft opening': openingCodec.encode({ type: 'blocks', cids: [CID.parse(mesh).bytes, CID.parse(mesh).bytes] }),
  'raft message': raftMessageCodec.encode({
    type: 'message',
    from: 1,
    to: 2,
    bytes: new Uint8Array(40).fill(5),
    snapshot: {
      index: 1000,
      term: 3,
      configuration: { voters: [1, 2, 3], learners: [4], votersOutgoing: [], learnersNext: [] },
      root: CID.parse(mesh).bytes,
    },
  }),
  'raft answer': answerCodec.encode({ type: 'joined', raftId: 3, members: [{ raftId: 1, peerId: issuer }], leader: 1 }),
  status: statusCodec.encode({
    type: 'status',
    role: 'full',
    cell: 'home',
    name: 'one',
    version: '0.1.0',
    protocolVersion: 1,
    heads: { epoch: mesh },
    time: 1_700_000_000_000,
  }),
  'sync request': syncRequestCodec.encode({ type: 'range', from: 12, count: 64 }),
  'sync answer': syncAnswerCodec.encode({
    type: 'epoch',
    height: 12,
    block: new Uint8Array(40).fill(1),
    certificate: new Uint8Array(20).fill(2),
  }),
}
