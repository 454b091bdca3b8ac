/** What a stranger, a light node or a page runs: no Node, no wasm, 60 kB. */
export { verifyCertificate, type Signed } from './certificate.ts'
export { MAX_EXPORT_BYTES } from './file.ts'
export { trustedFrom, verifyExport, type ExportTrust, type VerifiedExport } from './verify-export.ts'
export {
  DEFAULT_TRUSTING_MS,
  verifySkip,
  type Target,
  type Trusted,
  type TrustPolicy,
  type ValidatorSet,
} from './skip.ts'
export { verifyStrict, type Verifier } from './strict.ts'
export { cidText, parseCheckpoint, parseCid, type Checkpoint } from './text.ts'
