import { extensionCodec, type EpochApplication } from '../../consensus/epoch/index.ts'
import type { Application, Wal } from '../../consensus/mesh/index.ts'
import type { MeshWal } from './wal.ts'

type Reports = Pick<EpochApplication['reports'], 'read'>

/**
 * Who says in a vote that it holds a report must still hold it after a crash: the two are one write.
 *
 * @returns both as they are, but that what an extension names goes into the log with the next records
 */
export function withNamedReports(
  application: Application & { readonly reports: Reports },
  wal: Pick<MeshWal, 'read' | 'append'>,
): { application: Application; wal: Wal } {
  /** Of votes that wait for the disk: of two rounds, when it is slow. */
  let named: readonly Uint8Array[] = []
  return {
    application: {
      get height() {
        return application.height
      },
      get validators() {
        return application.validators
      },
      get isBusy() {
        return application.isBusy
      },
      propose: (round, signal) => application.propose(round, signal),
      check: (block, proposer) => application.check(block, proposer),
      extension(round, value) {
        const bytes = application.extension(round, value)
        const digests = extensionCodec.decode(bytes).reports.map(([, digest]) => digest)
        named = [...named, ...application.reports.read(application.height + 1, digests)]
        return bytes
      },
      isExtension: (validator, bytes) => application.isExtension(validator, bytes),
      persist: (block) => application.persist(block),
      read: (value) => application.read(value),
      commit: (block, certificate) => application.commit(block, certificate),
      evidence: (equivocation) => application.evidence(equivocation),
    },
    wal: {
      read: (height) => wal.read(height),
      append(height, records) {
        const reports = named
        named = []
        return wal.append(height, records, reports)
      },
    },
  }
}
