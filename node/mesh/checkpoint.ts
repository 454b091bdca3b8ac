import { setTimeout as delay } from 'node:timers/promises'
import type { PeerId } from '@libp2p/interface'
import { checkCertificate } from '../../consensus/epoch/certificate.ts'
import {
  certificateCodec,
  checkFinal,
  cidOf,
  cidOfSet,
  headerOf,
  openBlock,
  plain,
  stateCodec,
  type MeshState,
  type OpenedBlock,
  type Verify,
} from '../../consensus/epoch/index.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import { cidText, type Checkpoint } from '../../consensus/light/text.ts'
import { CodedError, messageOf } from '../../protocols/shared/errors.ts'
import type { SyncClient, SyncEpoch } from '../../protocols/sync/index.ts'
import type { ChainStore } from './chain.ts'
import type { StoredEpoch } from './chain-head.ts'

const RETRY_MS = 1_000

/** What a record begins with that does not begin at its genesis. */
export interface Beginning {
  readonly epoch: StoredEpoch
  readonly state: MeshState
}

export interface FetchCheckpointInit {
  checkpoint: Checkpoint
  client: Pick<SyncClient, 'range' | 'state'>
  /** Connected nodes that keep epochs. */
  peers: () => readonly PeerId[]
  verify: Verify
  /** Why it takes so long. */
  onProblem: (problem: CodedError) => void
  signal: AbortSignal
}

/**
 * Gets the epoch of a checkpoint and the state after it from whoever has both. Whom it was got from does not matter: the
 * checkpoint names the epoch, the epoch names the validators of the next, and what those signed names the state.
 *
 * @returns undefined when the signal aborted
 */
export async function fetchCheckpoint(init: FetchCheckpointInit): Promise<Beginning | undefined> {
  const { peers, signal, onProblem } = init
  while (!signal.aborted) {
    if (peers().length === 0) onProblem(nobody(init.checkpoint))
    for (const peer of peers()) {
      try {
        return await fetchFrom(peer, init)
      } catch (error) {
        if (signal.aborted) return undefined
        onProblem(notThere(init.checkpoint, error))
      }
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
  return undefined
}

async function fetchFrom(
  peer: PeerId,
  { checkpoint, client, verify, signal }: FetchCheckpointInit,
): Promise<Beginning> {
  const { height } = checkpoint
  const epochs: SyncEpoch[] = []
  for await (const epoch of client.range(peer, height, 2, signal)) epochs.push(epoch)
  const [at, next] = epochs
  if (at === undefined || next === undefined) throw new Error('the peer has not got past it')
  const bytes = await client.state(peer, height, signal)
  const block = openAt(at, checkpoint)
  const state = stateCodec.decode(bytes)
  if (!equalBytes(cidOfSet(state.validators), block.header.nextValidators)) throw new Error('the state is of others')
  if (!equalBytes(cidOf(bytes), headerOf(next.block).state)) throw new Error('the state is another')
  const followed = checkFinal(state, [next.block, next.certificate], verify)
  if (typeof followed === 'string') throw new Error(`the epoch after it does not hold (${followed})`)
  const certificate = certificateOf(at, block, state, verify)
  return { epoch: { value: block.value, block: at.block, certificate }, state }
}

/** Only the decision: what its signers saw is in the epoch after it, and is not checked here. */
function certificateOf(
  { certificate }: SyncEpoch,
  { value }: OpenedBlock,
  { mesh, height, lastValidators: validators }: MeshState,
  verify: Verify,
): Uint8Array {
  const decoded = certificateCodec.decode(certificate)
  const code = checkCertificate({ mesh, validators }, decoded, { height, value }, verify)
  if (code !== undefined) throw new Error(`its certificate does not hold (${code})`)
  return certificateCodec.encode(plain(decoded))
}

function openAt({ block }: SyncEpoch, { height, cid }: Checkpoint): OpenedBlock {
  const opened = openBlock(block)
  if (typeof opened === 'string') throw new Error(`it cannot be read (${opened})`)
  if (opened.header.height === height && equalBytes(opened.value, cid)) return opened
  throw new Error(`the peer has ${cidText(opened.value)} at that height`)
}

/**
 * Whether the epochs here are those that the checkpoint is one of.
 *
 * @throws {CodedError} E_MESH_CHECKPOINT
 */
export async function checkAgainst(chain: ChainStore, { height, cid }: Checkpoint): Promise<void> {
  const epoch = await chain.epoch(height)
  if (epoch === undefined || equalBytes(epoch.value, cid)) return
  throw new CodedError(
    'E_MESH_CHECKPOINT',
    `epoch ${height} is ${cidText(epoch.value)} here, and mesh.checkpoint says ${cidText(cid)}`,
    {
      hint:
        'one of the two is of another history, which somebody with old keys may have written: ask operators that you ' +
        'trust which one is theirs; then correct mesh.checkpoint, or move the directory mesh of this node away',
    },
  )
}

function nobody({ height }: Checkpoint): CodedError {
  return new CodedError('E_SYNC_NOBODY', `nobody is connected who could bring epoch ${height}`, {
    hint: 'see kairos peers: a full node or a witness of the mesh must be connected',
  })
}

function notThere({ height }: Checkpoint, error: unknown): CodedError {
  const code = error instanceof CodedError ? error.code : 'E_MESH_CHECKPOINT'
  return new CodedError(code, `the record cannot begin at epoch ${height} yet: ${messageOf(error)}`, {
    hint: 'states are kept of every 256th epoch: take one of those that a connected node still keeps, or unset mesh.checkpoint',
    cause: error,
  })
}
