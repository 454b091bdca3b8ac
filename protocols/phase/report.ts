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
}

/**
 * Decides on the bytes alone; replay and rate are the receiver's own windows.
 *
 * @returns the report, or the verdict on who sent it: everything here is provably the author's fault,
 * save a time too far from ours: a replay by somebody else, or a clock that may be ours
 */
export function openReport(bytes: Uint8Array, context: ReportContext): PhaseReport | Verdict {
  try {
    const envelope = envelopeCodec.decode(bytes)
    const report = decodeReport(envelope.b)
    if (!equals(report.mesh, context.mesh)) return reject('E_REPORT_MESH')
    if (!equals(report.author, context.from)) return reject('E_REPORT_AUTHOR')
    if (Math.abs(report.time - context.nowMs) > MAX_CLOCK_DIFFERENCE_MS) return ignore('E_REPORT_TIME')
    if (!verify(report.author, PHASE_DOMAIN, envelope.b, envelope.s)) return reject('E_REPORT_SIGNATURE')
    return report
  } catch (error) {
    return reject(codeOf(error))
  }
}

export function isReport(result: PhaseReport | Verdict): result is PhaseReport {
  return !('kind' in result)
}
