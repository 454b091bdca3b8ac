import type { PeerId } from '@libp2p/interface'
import { strictKeyOf } from '../../protocols/admission/index.ts'
import { createBftTransport, type BftPorts, type BftTransport } from '../../protocols/bft/index.ts'
import { ACCEPT, ignore, reject, type Verdict } from '../../protocols/shared/verdict.ts'
import type { Attester } from './attest.ts'
import type { EpochRecord } from './epoch-record.ts'
import type { MeshServiceInit } from './init.ts'
import { RecordPeers } from './peers.ts'
import type { ReportFetch } from './report-fetch.ts'
import type { MeshTally } from './tally.ts'
import { isBlock, type Validating } from './validating.ts'

/** What nobody says who keeps the rules, whatever he knows of the record. */
const FAULTS = /_(MALFORMED|MESH|SIGNATURE)$/

export interface MeshWireInit extends Pick<MeshServiceInit, 'libp2p' | 'membership' | 'judge' | 'log'> {
  record: EpochRecord
  validating: () => Validating | undefined
  attester: () => Attester | undefined
  reports: ReportFetch
  tally: MeshTally
}

/** `/kairos/bft/1.0.0` between this full node and the others that the record names. */
export function createMeshWire(init: MeshWireInit): BftTransport {
  const { libp2p, record, tally } = init
  const peers = new RecordPeers()
  return createBftTransport({
    libp2p,
    peers: () => peers.of(record.state),
    isPeer: (peer) => isFull(init, peer),
    height: () => record.state.height,
    ports: portsOf(init),
    judge: init.judge,
    refused: (_peer, code) => tally.refused(code),
    lost: () => undefined,
    log: init.log.forComponent('kairos:bft'),
  })
}

/** By the record, or by its certificate: who has just joined is in the record an epoch or two later. */
function isFull({ membership, record }: MeshWireInit, peer: PeerId): boolean {
  if (membership.member(peer)?.role === 'full') return true
  const key = Buffer.from(strictKeyOf(peer))
  return record.state.operators.some(({ members }) => members.some((member) => key.equals(member)))
}

function portsOf({ record, validating, attester, reports }: MeshWireInit): BftPorts {
  const { application, chain } = record
  return {
    message(peer, height, bytes) {
      validating()?.receive(strictKeyOf(peer), height, bytes)
      return ACCEPT
    },
    block(_peer, { height, round, value, bytes }) {
      const isTaken = validating()?.receiveBlock(height, round, { value, bytes }) ?? true
      return isTaken ? ACCEPT : reject('E_BFT_BLOCK_WRONG')
    },
    matches: isBlock,
    async readBlock(height, value) {
      const proposed = await chain.proposal(value)
      if (proposed !== undefined) return proposed
      const final = await chain.epoch(height)
      return final !== undefined && Buffer.from(final.value).equals(value) ? final.block : undefined
    },
    report(_peer, _epoch, envelope) {
      const verdict = verdictOf(application.reports.put(envelope))
      reports.arrived()
      return verdict
    },
    readReports: (epoch, digests) => application.reports.read(epoch, digests),
    attestation: (_peer, bytes) => verdictOf(application.pending.putAttestation(bytes)),
    governance: (_peer, bytes) => verdictOf(application.pending.putGovernance(bytes)),
    attestationShare: (peer, bytes) => attester()?.take(peer, bytes) ?? ignore('E_ATTESTATION_CELL'),
  }
}

function verdictOf(code: string | undefined): Verdict {
  if (code === undefined) return ACCEPT
  return FAULTS.test(code) ? reject(code) : ignore(code)
}
