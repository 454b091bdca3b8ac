import { CodedError } from '../../protocols/shared/errors.ts'
import type { CommitCertificate } from '../../wasm/bft/types.ts'
import { certificateCodec } from '../epoch/certificate-codec.ts'
import { cidOf } from '../epoch/cid.ts'
import { partsCodec } from '../epoch/block-codec.ts'
import { equalBytes } from './bytes.ts'
import { powerAmong, sum } from './certificate.ts'
import { encodeExport, readHop, type HopBytes } from './file.ts'
import { readGenesis } from './genesis.ts'
import { foundingSet } from './powers.ts'
import type { ValidatorSet } from './skip.ts'
import { encodeCertificate, encodeSet, readHeader, readSet } from './wire.ts'

/** Where epochs are kept. */
export interface ExportChain {
  /** canonical bytes */
  readonly genesis: Uint8Array
  /** encoded block and certificate of a final epoch; undefined when it is not kept */
  epoch(height: number): Promise<{ readonly block: Uint8Array; readonly certificate: Uint8Array } | undefined>
  /** encoded validator set with this CID; undefined when it is not kept */
  set(cid: Uint8Array): Promise<Uint8Array | undefined>
  /** encoded state before the epoch of this height; undefined when it is not kept */
  stateBefore(height: number): Promise<Uint8Array | undefined>
}

/** An epoch from which trust may go on. */
interface Stand {
  readonly height: number
  readonly next: ValidatorSet
}

interface Hop extends Stand {
  readonly bytes: HopBytes
  readonly certificate: CommitCertificate
  /** CID of the state before it */
  readonly state: Uint8Array
}

/**
 * Exports an epoch with the shortest path to it: from where trust stands always the farthest epoch that validators of
 * more than a third of the power known there have signed.
 *
 * @param from - height of a kept epoch that the reader has a checkpoint of; the genesis unless told
 * @returns the file (spec.md)
 * @throws {CodedError} E_LIGHT_NOT_KEPT, E_LIGHT_EXPORT_TOO_LARGE
 */
export async function buildExport(chain: ExportChain, height: number, from = 0): Promise<Uint8Array> {
  const epoch = await chain.epoch(height)
  const target = await hopAt(chain, height)
  if (epoch === undefined || target === undefined) throw notKept(`epoch ${height} is not kept here`)
  const path = from === height ? [] : await pathTo(chain, target, from)
  const state = await chain.stateBefore(height)
  const isBefore = state !== undefined && equalBytes(cidOf(state), target.state)
  return encodeExport({
    genesis: chain.genesis,
    path: path.map(({ bytes }) => bytes),
    epoch: epoch.block,
    validators: target.bytes.validators,
    certificate: target.bytes.certificate,
    state: isBefore ? state : null,
  })
}

async function pathTo(chain: ExportChain, target: Hop, from: number): Promise<Hop[]> {
  const path: Hop[] = []
  let stand: Stand = { height: 0, next: readSet(encodeSet(foundingSet(readGenesis(chain.genesis).operators))) }
  if (from > 0) {
    const checkpoint = await hopAt(chain, from)
    if (checkpoint === undefined || from > target.height) throw notKept(`no epoch ${from} is kept here before it`)
    path.push(checkpoint)
    stand = checkpoint
  }
  while (!reaches(stand, target)) {
    const farthest = await farthestFrom(chain, stand, target.height)
    if (farthest === undefined)
      throw notKept(`no epochs are kept here that lead from ${stand.height} to ${target.height}`)
    path.push(farthest)
    stand = farthest
  }
  return path
}

/** Sets change little by little, so what can be reached lies before what cannot; what is not kept lies before both. */
async function farthestFrom(chain: ExportChain, stand: Stand, target: number): Promise<Hop | undefined> {
  let farthest: Hop | undefined
  let [near, far] = [stand.height, target]
  while (far - near > 1) {
    const middle = Math.floor((near + far) / 2)
    const hop = await hopAt(chain, middle)
    if (hop !== undefined && !reaches(stand, hop)) {
      far = middle
      continue
    }
    near = middle
    farthest = hop ?? farthest
  }
  return farthest
}

function reaches({ height, next }: Stand, hop: Hop): boolean {
  if (hop.height === height + 1) return true
  const signers = hop.certificate.signatures.map(({ validator }) => ({ key: validator }))
  return powerAmong(next.validators, signers) * 3 > sum(next.validators)
}

async function hopAt(chain: ExportChain, height: number): Promise<Hop | undefined> {
  const epoch = await chain.epoch(height)
  if (epoch === undefined) return undefined
  const { header } = partsCodec.decode(epoch.block)
  const { validators, nextValidators } = readHeader(header)
  const set = await chain.set(validators)
  const next = equalBytes(validators, nextValidators) ? set : await chain.set(nextValidators)
  if (set === undefined || next === undefined) return undefined
  const certificate = encodeCertificate(certificateCodec.decode(epoch.certificate))
  const bytes = { header, validators: set, next, certificate }
  const hop = readHop(bytes)
  return { height, next: hop.next, certificate: hop.certificate, state: hop.header.state, bytes }
}

function notKept(what: string): CodedError {
  return new CodedError('E_LIGHT_NOT_KEPT', what, {
    hint: 'ask a witness, which keeps all epochs, or export from a later one: --from HEIGHT',
  })
}
