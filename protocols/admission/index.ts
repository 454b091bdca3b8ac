export { issueCertificate, type CertificateBody } from './certificate.ts'
export {
  admissionCodecs,
  cellSchema,
  chainCodec,
  certificateCodec,
  nameSchema,
  type AdmissionMessage,
} from './codec.ts'
export * from './constants.ts'
export { admissionEncrypter, type AdmissionEncrypterInit } from './encrypter.ts'
export {
  createGenesis,
  founderOf,
  foundersOf,
  meshIdOf,
  parseGenesis,
  toleratedFaults,
  type GenesisOptions,
} from './genesis.ts'
export { brokenBy, type Grant } from './grant.ts'
export { checkVersion, joinHost, optionalExpiry, type Joined, type JoinHostInit } from './join-host.ts'
export { peerIdFromKey, strictKeyFrom, strictKeyOf } from './keys.ts'
export { refusalError, refusalFrom, REFUSALS, refuse, type Refusal, type RefusalCode } from './refusals.ts'
export { decodeTicket, formatTicket, issueTicket, parseTicket } from './ticket.ts'
export type {
  Admission,
  AdmissionHost,
  Certificate,
  Founder,
  Genesis,
  GenesisOperator,
  Hello,
  Member,
  RefusalInfo,
  Right,
  Role,
  Ticket,
  Welcome,
} from './types.ts'
export { checkChain, expiryOf } from './verify-chain.ts'
