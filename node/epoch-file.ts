import { checkBlock, openBlock, stateCodec, type FinalEpoch, type MeshState } from '../consensus/epoch/index.ts'
import { genesisState } from '../consensus/epoch/genesis-state.ts'
import { certificateCodec } from '../consensus/epoch/certificate-codec.ts'
import { readSet } from '../consensus/light/wire.ts'
import { cidText, verifyExport, type ExportTrust, type VerifiedExport } from '../consensus/light/index.ts'
import { genesisCodec } from '../protocols/admission/codec.ts'
import type { Genesis } from '../protocols/admission/index.ts'
import { CodedError } from '../protocols/shared/errors.ts'
import { verifyBytes } from '../protocols/shared/signature.ts'
import { epochDocument } from './mesh/documents.ts'
import { createEpochPorts } from './mesh/epoch-ports.ts'
import { peerIdOf } from './mesh/named.ts'
import type { EpochDocument } from './operations.ts'

/** What is known of an exported epoch after it was verified, in JSON. */
export interface VerifiedEpoch {
  /** what the rest was believed by */
  trust: 'genesis' | 'checkpoint'
  mesh: { id: string; name: string }
  checkpoint: { height: number; cid: string } | null
  /** heights over which trust went; 0 is the genesis */
  path: number[]
  /** whether all in the block was recomputed from the state before it and its reports; else the signers' word stands for it */
  recomputed: boolean
  epoch: EpochDocument
}

/**
 * Verifies an exported epoch, offline, and recomputes what its content allows.
 *
 * @throws {CodedError} as `verifyExport`; E_LIGHT_CONTENT when more than two thirds signed what does not follow
 */
export function verifyEpochFile(bytes: Uint8Array, trust: ExportTrust): VerifiedEpoch {
  const verified = verifyExport(bytes, { ...trust, verify: verifyBytes })
  const { content, mesh, header, path } = verified
  const genesis = genesisCodec.decode(content.genesis)
  const block = openBlock(content.epoch)
  if (typeof block === 'string') throw wrong(header.height, block)
  const state = stateBefore(verified, genesis)
  const code = state && checkBlock(state, block, createEpochPorts(mesh))
  if (code !== undefined) throw wrong(header.height, code)
  const final: FinalEpoch = { block, certificate: certificateCodec.decode(content.certificate) }
  const { checkpoint } = trust
  return {
    trust: verified.trust,
    mesh: { id: cidText(mesh), name: verified.name },
    checkpoint: checkpoint === undefined ? null : { height: checkpoint.height, cid: cidText(checkpoint.cid) },
    path: [...path],
    recomputed: state !== undefined,
    epoch: epochDocument(final, readSet(content.validators).validators, namesIn(genesis)),
  }
}

/** In the file where the exporter had it; that of the first epoch follows from the genesis. */
function stateBefore({ content, header, mesh }: VerifiedExport, genesis: Genesis): MeshState | undefined {
  if (content.state !== null) return stateCodec.decode(content.state)
  return header.height === 1 ? genesisState(genesis, mesh) : undefined
}

/** Founders by their names; others by their peer ids. */
function namesIn({ operators }: Genesis) {
  const founders = operators.flatMap(({ cell, founders }) =>
    founders.map(({ peerId, name }) => ({ peerId, name, cell })),
  )
  const founderOf = (key: Uint8Array) => founders.find(({ peerId }) => peerId === peerIdOf(key))
  return {
    named: (key: Uint8Array) => ({ peerId: peerIdOf(key), name: founderOf(key)?.name ?? peerIdOf(key) }),
    cellOf: (key: Uint8Array) => founderOf(key)?.cell ?? '',
  }
}

function wrong(height: number, code: string): CodedError {
  return new CodedError('E_LIGHT_CONTENT', `what epoch ${height} says does not follow from what is in it (${code})`, {
    hint: 'more than two thirds of the power signed it all the same: tell the people of the mesh',
  })
}
