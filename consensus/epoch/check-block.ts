import { equalBytes } from '../light/bytes.ts'
import { checkChain, type OpenedBlock } from './block.ts'
import { checkCertificate, isExtended, medianTime, witnessesOf, type Witness } from './certificate.ts'
import { checkReports, namedBy, recompute, type Agree, type IncludedReport, type OpenReport } from './reports.ts'
import type { Signatures } from './signed-bytes.ts'
import { transition } from './transition.ts'
import type { ComplexQ30, EpochHeader, MeshState } from './types.ts'
import { proposerOf } from './validators.ts'

/** What checking and building need from outside; each answers the same on every machine. */
export interface EpochPorts extends Signatures {
  readonly openReport: OpenReport
  readonly agree: Agree
}

/**
 * Whether a block may follow on the state: recomputed bit for bit from the state and the block alone, what is cheap
 * before what is dear.
 *
 * @returns the code of the first rule that it breaks
 */
export function checkBlock(state: MeshState, block: OpenedBlock, ports: EpochPorts): string | undefined {
  const { header } = block
  const chain = checkChain(state, header)
  if (chain !== undefined) return chain
  if (!equalBytes(header.proposer, proposerOf(state.validators, header.height, header.round))) return 'E_EPOCH_PROPOSER'
  const witnesses = readPrecommits(state, block)
  if (typeof witnesses === 'string') return witnesses
  if (header.time !== timeAfter(state, witnesses)) return 'E_EPOCH_TIME'
  const signed = checkPrecommits(state, block, ports)
  if (signed !== undefined) return signed
  const included = readReports(state, block, witnesses, ports)
  if (typeof included === 'string') return included
  const wrong = differing(header, recompute(state, included, ports.agree))
  if (wrong !== undefined) return wrong
  const after = transition(state, block, ports)
  return typeof after === 'string' ? after : undefined
}

/** Later than the epoch before, whatever the clocks say. */
export function timeAfter(state: MeshState, witnesses: readonly Witness[]): number {
  return Math.max(state.time + 1, medianTime(witnesses))
}

function readPrecommits(state: MeshState, { precommits }: OpenedBlock): Witness[] | string {
  if (state.height === 0) return precommits === null ? [] : 'E_EPOCH_PRECOMMITS'
  if (precommits === null) return 'E_EPOCH_PRECOMMITS'
  return witnessesOf(precommits, state.lastValidators, state.reporters.length) ?? 'E_EPOCH_EXTENSION'
}

function checkPrecommits(state: MeshState, { precommits }: OpenedBlock, { verify }: Signatures): string | undefined {
  if (precommits === null) return undefined
  const of = { height: state.height, value: state.head }
  const code = checkCertificate({ mesh: state.mesh, validators: state.lastValidators }, precommits, of, verify)
  return code ?? (isExtended(state.mesh, precommits, verify) ? undefined : 'E_EPOCH_EXTENSION')
}

function readReports(
  state: MeshState,
  { reports }: OpenedBlock,
  witnesses: readonly Witness[],
  { openReport }: EpochPorts,
): IncludedReport[] | string {
  const named = namedBy(witnesses, state.lastValidators, state.reporters)
  return checkReports(reports, named, state.height, openReport)
}

function differing(
  header: EpochHeader,
  { t, median, decision }: Pick<EpochHeader, 't' | 'median' | 'decision'>,
): string | undefined {
  const isSame = (a: ComplexQ30, b: ComplexQ30): boolean => a[0] === b[0] && a[1] === b[1]
  if (!isSame(header.t, t)) return 'E_EPOCH_T'
  if (!isSame(header.median, median)) return 'E_EPOCH_MEDIAN'
  const fields = ['collapsed', 'agreeingWeight', 'reportingWeight', 'totalWeight'] as const
  return fields.every((field) => header.decision[field] === decision[field]) ? undefined : 'E_EPOCH_DECISION'
}
