export { MAX_PERIOD_MS, MAX_REPORT_BYTES, MIN_PERIOD_MS, phaseTopic } from './constants.ts'
export { phaseCodecs, type ComplexQ30, type PhaseReport } from './codec.ts'
export { isMeanOfHalves, isReport, openReport, readReport, reportIn, signReport, type ReportContext } from './report.ts'
