import type { BftTransport } from '../../protocols/bft/index.ts'
import { reportIn } from '../../protocols/phase/index.ts'
import { Attester } from './attest.ts'
import { operatorOf } from './attest-body.ts'
import type { Naming } from './documents.ts'
import { countedReport } from './epoch-ports.ts'
import type { EpochRecord } from './epoch-record.ts'
import type { MeshServiceInit } from './init.ts'
import { peerOf } from './named.ts'

export interface AttestingInit extends Pick<MeshServiceInit, 'membership' | 'privateKey' | 'log'> {
  cell: NonNullable<MeshServiceInit['cell']>
  record: EpochRecord
  transport: BftTransport
  isSelf: Naming['isSelf']
}

/** This node's part in what its cell says of itself. */
export function createAttester(init: AttestingInit): Attester {
  const { membership, privateKey, log, cell, record, transport, isSelf } = init
  const name = membership.self.cell
  return new Attester({
    name,
    key: privateKey,
    cell,
    mesh: record,
    // Of epochs that are final: their reports were checked.
    openReport: (envelope) => countedReport(reportIn(envelope)),
    share: (bytes) => {
      const members = operatorOf(name, record.state)?.members ?? []
      transport.shareAttestation(bytes, members.filter((key) => !isSelf(key)).map(peerOf))
    },
    submit: (bytes) => {
      record.application.pending.putAttestation(bytes)
      transport.publishAttestation(bytes)
    },
    log: log.forComponent('kairos:attest'),
  })
}
