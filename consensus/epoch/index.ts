export * from './types.ts'
export { openAttestation, attestationCodec, signedAttestationCodec } from './attestation-codec.ts'
export { blockCodec, finalCodec, finalPartsCodec, headerOf, LISTS, partsCodec } from './block-codec.ts'
export { EpochApplication, type ApplicationInit, type EpochStore } from './application.ts'
export { applyBlock, openBlock, type OpenedBlock } from './block.ts'
export { buildBlock, type Pending } from './build-block.ts'
export { certificateCodec, extensionCodec } from './certificate-codec.ts'
export { checkBlock, type EpochPorts } from './check-block.ts'
export { cidOf, digestOf, hex } from './cid.ts'
export { commandBody, sealCommand } from './command-codec.ts'
export { evidenceCodec, evidenceOf } from './evidence-codec.ts'
export { checkFinal, checkFinalAside, plain, type Followed } from './final.ts'
export { genesisState } from './genesis-state.ts'
export { checkGovernance, isOpen } from './governance.ts'
export { headerCodec, valueOf } from './header-codec.ts'
export * from './limits.ts'
export { PendingPool } from './pending-pool.ts'
export { ReportPool } from './report-pool.ts'
export type { Agree, Named, OpenedReport, OpenReport } from './reports.ts'
export { reportersAfter } from './reports.ts'
export { cidOfSet, validatorsCodec } from './set-codec.ts'
export {
  DOMAIN,
  extensionBody,
  proposalBody,
  voteBody,
  type Verify,
  type VerifyAside,
} from './signed-bytes.ts'
export { cidOfState, stateCodec } from './state-codec.ts'
export { isQuorum, powerOf, proposerOf, totalPower } from './validators.ts'
