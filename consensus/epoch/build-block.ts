import { CodedError } from '../../protocols/shared/errors.ts'
import { compareBytes } from '../light/bytes.ts'
import type { CommitCertificate } from '../mesh/engine.ts'
import { applyAttestation } from './attestations.ts'
import { openAttestation } from './attestation-codec.ts'
import { sealBlock, type OpenedBlock } from './block.ts'
import { witnessesOf, type Witness } from './certificate.ts'
import { timeAfter, type EpochPorts } from './check-block.ts'
import { digestOf, hex } from './cid.ts'
import { Draft } from './draft.ts'
import { applyEvidence } from './evidence.ts'
import { applyCommand } from './governance.ts'
import { MAX_COMMANDS, MAX_EVIDENCE, MAX_OPERATORS, MAX_SUNDRY_BYTES } from './limits.ts'
import { compareReports, recompute, type IncludedReport } from './reports.ts'
import { TRUSTED } from './signed-bytes.ts'
import type { Sundry } from './transition.ts'
import type { MeshState } from './types.ts'

export interface Pending extends Sundry {
  /** all that `named` asks for, in any order */
  readonly reports: readonly Uint8Array[]
}

/**
 * Builds the block after `state`, leaving out what is pending and not valid now.
 *
 * @param certificate - extended, of the epoch that the state is of; null at height 0
 * @throws {CodedError} E_EPOCH_EXTENSION when the certificate does not carry extensions, E_EPOCH_REPORT for a bad report
 */
export function buildBlock(
  state: MeshState,
  pending: Pending,
  certificate: CommitCertificate | null,
  by: { readonly round: number; readonly proposer: Uint8Array },
  ports: Pick<EpochPorts, 'openReport' | 'agree'>,
): { bytes: Uint8Array; block: OpenedBlock } {
  const witnesses = witnessesFor(state, certificate)
  const included = pending.reports.map((bytes) => opened(bytes, ports)).sort(compareReports)
  const reports = included.map(({ bytes }) => bytes)
  const own = { ...by, time: timeAfter(state, witnesses), ...recompute(state, included, ports.agree) }
  return sealBlock(state, own, { precommits: certificate, reports, ...takeable(state, pending) })
}

/** @throws {CodedError} E_EPOCH_EXTENSION */
export function witnessesFor(state: MeshState, certificate: CommitCertificate | null): Witness[] {
  if (certificate === null) return []
  const witnesses = witnessesOf(certificate, state.lastValidators, state.reporters.length)
  if (witnesses !== undefined) return witnesses
  throw new CodedError(
    'E_EPOCH_EXTENSION',
    `the certificate of epoch ${state.height} does not carry what its signers saw`,
  )
}

function opened(bytes: Uint8Array, { openReport }: Pick<EpochPorts, 'openReport'>): IncludedReport {
  const report = openReport(bytes, hex(digestOf(bytes)))
  if (report === undefined) throw new CodedError('E_EPOCH_REPORT', 'a report that is to be included does not hold')
  return { author: report.author, epoch: report.epoch, t: report.t, bytes }
}

/** What of the pending parts can go in, in the order in which they are applied. Signatures were checked on the way in. */
function takeable(state: MeshState, pending: Sundry): Sundry {
  const draft = new Draft(state)
  let room = MAX_SUNDRY_BYTES
  const take = (list: readonly Uint8Array[], max: number, apply: (bytes: Uint8Array) => string | undefined) => {
    const taken: Uint8Array[] = []
    for (const bytes of list) {
      if (taken.length === max || bytes.byteLength > room || apply(bytes) !== undefined) continue
      taken.push(bytes)
      room -= bytes.byteLength
    }
    return taken
  }
  const evidence = take(distinct(pending.evidence), MAX_EVIDENCE, (bytes) => applyEvidence(draft, bytes, TRUSTED))
  // Attestations come every epoch: what is voted on must not wait for an epoch without them.
  const left = room - Math.min(room / 2, sizeOf(pending.governance))
  const byCell = chosen(state, pending.attestations, left)
  const attestations = take(byCell, MAX_OPERATORS, (bytes) => applyAttestation(draft, bytes, TRUSTED))
  const governance = take(pending.governance, MAX_COMMANDS, (bytes) => applyCommand(draft, bytes, TRUSTED))
  return { evidence, attestations, governance }
}

function distinct(list: readonly Uint8Array[]): Uint8Array[] {
  const sorted = [...list].sort(compareBytes)
  return sorted.filter((each, at) => at === 0 || compareBytes(sorted[at - 1]!, each) !== 0)
}

/** One of each cell, in the order of the cells; where not all have room, those whose last is the oldest. */
function chosen({ mesh, operators }: MeshState, list: readonly Uint8Array[], room: number): Uint8Array[] {
  const last = new Map(operators.map(({ cell, attested }) => [cell, attested?.epoch ?? -1]))
  const cells = new Map<string, Uint8Array>()
  for (const bytes of list) {
    const opened = openAttestation(mesh, bytes)
    if (typeof opened !== 'string' && last.has(opened.attestation.cell)) cells.set(opened.attestation.cell, bytes)
  }
  const byAge = [...cells].sort(([a], [b]) => last.get(a)! - last.get(b)! || (a < b ? -1 : 1))
  const fitting = byAge.filter(([, { byteLength }]) => byteLength <= room && (room -= byteLength) >= 0)
  return fitting.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, bytes]) => bytes)
}

function sizeOf(list: readonly Uint8Array[]): number {
  return list.reduce((sum, { byteLength }) => sum + byteLength, 0)
}
