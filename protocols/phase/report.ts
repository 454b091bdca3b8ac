import type { Ed25519PrivateKey } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { CodedError, codeOf } from '../shared/errors.ts'
import { sign, verify } from '../shared/signature.ts'
import { ignore, reject, type Verdict } from '../shared/verdict.ts'
import { decodeReport, encodeReport, envelopeCodec, type PhaseReport } from './codec.ts'
import { MAX_CLOCK_DIFFERENCE_MS, PHASE_DOMAIN } from './constants.ts'

/** @returns the envelope to publish, ≤ 512 bytes */
export async function signReport(key: Ed25519PrivateKey, report: PhaseReport): Promise<Uint8Array> {
  if (!equals(key.publicKey.raw, report.author)) {
    throw new CodedError('E_REPORT_AUTHOR', 'a report is signed by its author and nobody else')
  }
  const body = encodeReport(report)
  return envelopeCodec.encode({ b: body, s: await sign(key, PHASE_DOMAIN, body) })
}

export interface ReportContext {
  /** CID bytes of our genesis document. */
  mesh: Uint8Array
  /** Raw public key of the gossip message's origin. */
  from: Uint8Array
  nowMs: number
  /** Whether the epoch is one that still has no end: what belongs to it may have been said long ago. */
  isOpen?: (epoch: number) => boolean
}

/**
 * Decides on the bytes alone; replay and rate are the receiver's own windows.
 *
 * @returns the report, or the verdict on who sent it: everything here is provably the author's fault,
 * save a time too far from ours: a replay by somebody else, or a clock that may be ours
 */
export function openReport(bytes: Uint8Array, context: ReportContext): PhaseReport | Verdict {
  return judged(bytes, (report) => {
    if (!equals(report.mesh, context.mesh)) return reject('E_REPORT_MESH')
    if (!equals(report.author, context.from)) return reject('E_REPORT_AUTHOR')
    return isOfNow(report, context) ? undefined : ignore('E_REPORT_TIME')
  })
}

/** As {@link openReport}, whoever brings it and whenever: what the record of the mesh carries. */
export function readReport(bytes: Uint8Array, mesh: Uint8Array): PhaseReport | Verdict {
  return judged(bytes, (report) => (equals(report.mesh, mesh) ? undefined : reject('E_REPORT_MESH')))
}

/** What a checked envelope holds: of a final epoch, whose validators have verified it. @throws {CodedError} E_FRAME_… */
export function reportIn(bytes: Uint8Array): PhaseReport {
  return decodeReport(envelopeCodec.decode(bytes).b)
}

/** T_sync is the mean of master and emissary, but for the rounding of each; a node without a master has none to weigh. */
export function isMeanOfHalves({ master, emissary, sync }: PhaseReport): boolean {
  return master !== null && sync.every((part, i) => Math.abs(2 * part - master[i]! - emissary[i]!) <= 2)
}

export function isReport(result: PhaseReport | Verdict): result is PhaseReport {
  return !('kind' in result)
}

/**
 * The signature last: it costs more than all the rest. An envelope has one form of bytes, so that nobody can make two of
 * what an author said once.
 */
function judged(bytes: Uint8Array, fault: (report: PhaseReport) => Verdict | undefined): PhaseReport | Verdict {
  try {
    const envelope = envelopeCodec.decode(bytes)
    if (!equals(envelopeCodec.encode(envelope), bytes)) return reject('E_FRAME_MALFORMED')
    const report = decodeReport(envelope.b)
    const verdict = fault(report)
    if (verdict !== undefined) return verdict
    return verify(report.author, PHASE_DOMAIN, envelope.b, envelope.s) ? report : reject('E_REPORT_SIGNATURE')
  } catch (error) {
    return reject(codeOf(error))
  }
}

/** A report of an epoch that has not ended is said again as it was, however long the epoch takes. */
function isOfNow({ time, epoch }: PhaseReport, { nowMs, isOpen }: ReportContext): boolean {
  if (time - nowMs > MAX_CLOCK_DIFFERENCE_MS) return false
  return nowMs - time <= MAX_CLOCK_DIFFERENCE_MS || isOpen?.(epoch) === true
}
