export type { Floats, KernelArray } from './coherence/arrays.ts'
export { KernelError, type KernelErrorCode } from './coherence/errors.ts'
export type {
  CoherenceKernels,
  EngineName,
  GoertzelBank,
  LeakyBank,
  Precision,
  ReportArrays,
} from './coherence/kernels.ts'
export { loadCoherence, type LoadOptions } from './coherence/load.ts'
export type { KernelFault } from './coherence/store.ts'
export type { GoertzelBankParams } from './coherence/twin/goertzel.ts'
export type { Form, LeakyBankParams } from './coherence/twin/leaky.ts'
export type { Agreement, QuantisedT, ReportColumns, Standing } from './coherence/twin/agreement.ts'
// Bit-identical everywhere, so those who agree on a few values need no memory in wasm for them.
export {
  agreement,
  geometricMedian,
  isInDisc,
  MAX_TOTAL_WEIGHT,
  Q30_ONE,
  quantise,
  weightedSum,
  WEISZFELD_STEPS,
} from './coherence/twin/agreement.ts'
export { phaseStep } from './coherence/twin/synthesis.ts'
export { GOLDEN_ANGLE } from './coherence/twin/fields.ts'
