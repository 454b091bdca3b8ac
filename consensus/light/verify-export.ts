import { CodedError } from '../../protocols/shared/errors.ts'
import { cidOf } from '../epoch/cid.ts'
import type { EpochHeader } from '../epoch/types.ts'
import { equalBytes } from './bytes.ts'
import type { Signed } from './certificate.ts'
import { decodeExport, readEpoch, readHop, type ExportBytes, type HopBytes } from './file.ts'
import { readGenesis, type LightGenesis } from './genesis.ts'
import { foundingSet } from './powers.ts'
import {
  DEFAULT_TRUSTING_MS,
  foreign,
  verifySkip,
  verifyTarget,
  type Target,
  type Trusted,
  type TrustPolicy,
  type ValidatorSet,
} from './skip.ts'
import { verifyStrict, type Verifier } from './strict.ts'
import { cidText, type Checkpoint } from './text.ts'
import { encodeSet, readSet } from './wire.ts'

/** What the reader knows already, and not from the file: the mesh, a checkpoint, or both. */
export interface ExportTrust {
  /** mesh id, 36 bytes: the CID of the genesis */
  readonly mesh?: Uint8Array | undefined
  /** a recent epoch that somebody trusted vouches for; trust begins there and not at the genesis */
  readonly checkpoint?: Checkpoint | undefined
  /** Unix ms */
  readonly now: number
  /** of the mesh's policy; 14 days, as a genesis has it, unless told */
  readonly trustingMs?: number | undefined
  readonly verify?: Verifier | undefined
}

/** What an exported epoch says, and why that is believed. */
export interface VerifiedExport extends Signed {
  readonly trust: 'genesis' | 'checkpoint'
  /** the mesh's name and id, as its genesis has them */
  readonly name: string
  readonly mesh: Uint8Array
  /** heights over which trust went: from the genesis (0) or the checkpoint to the epoch */
  readonly path: readonly number[]
  /** of the header */
  readonly cid: Uint8Array
  readonly header: EpochHeader
  /** the file's content: the block's lists, and the state if it has one, belong to the header */
  readonly content: ExportBytes
}

/**
 * Verifies an exported epoch by what the reader trusts. Nothing in the file is believed for being there.
 *
 * @throws {CodedError} E_LIGHT_FILE: it is no exported epoch. Else it proves nothing: E_LIGHT_UNTRUSTED | E_LIGHT_MESH |
 *   E_LIGHT_CHECKPOINT | E_LIGHT_TRUST_EXPIRED | E_LIGHT_CLOCK | E_LIGHT_CHAIN | E_LIGHT_CERTIFICATE | E_LIGHT_OVERLAP
 */
export function verifyExport(bytes: Uint8Array, trust: ExportTrust): VerifiedExport {
  const content = decodeExport(bytes)
  const target = readEpoch(content)
  const mesh = cidOf(content.genesis)
  if (trust.mesh === undefined && trust.checkpoint === undefined) throw untrusted(mesh)
  if (trust.mesh !== undefined && !equalBytes(mesh, trust.mesh)) throw foreign(mesh, trust.mesh)
  const genesis = readGenesis(content.genesis)
  const policy = {
    now: trust.now,
    trustingMs: trust.trustingMs ?? DEFAULT_TRUSTING_MS,
    verify: trust.verify ?? verifyStrict,
  }
  const walk = trust.checkpoint === undefined ? fromGenesis : fromCheckpoint(trust.checkpoint)
  const { signed, path } = walk({ mesh, genesis, path: content.path }, target, policy)
  const { cid, header } = target
  const kind = trust.checkpoint === undefined ? 'genesis' : 'checkpoint'
  return { trust: kind, name: genesis.name, mesh, path, cid, header, content, ...signed }
}

interface Walk {
  readonly signed: Signed
  readonly path: readonly number[]
}

/** What a file says besides its epoch. */
interface Way {
  readonly mesh: Uint8Array
  readonly genesis: LightGenesis
  readonly path: readonly HopBytes[]
}

function fromGenesis({ mesh, genesis, path }: Way, target: Target, policy: TrustPolicy): Walk {
  const next = readSet(encodeSet(foundingSet(genesis.operators)))
  return along({ mesh, height: 0, time: genesis.created, cid: mesh, next }, path.map(readHop), target, policy)
}

/** The file's path may begin before the checkpoint: what lies before it is not asked. */
function fromCheckpoint(checkpoint: Checkpoint) {
  return ({ mesh, path }: Way, target: Target, policy: TrustPolicy): Walk => {
    if (!equalBytes(target.header.mesh, mesh)) throw foreign(target.header.mesh, mesh)
    if (target.header.height === checkpoint.height) {
      requireSame(checkpoint, target.cid)
      return { signed: verifyTarget(target, policy), path: [checkpoint.height] }
    }
    const hops = path.map(readHop)
    const at = hops.findIndex(({ header }) => header.height === checkpoint.height)
    if (at < 0) throw notPassed(checkpoint, target.header.height)
    requireSame(checkpoint, hops[at]!.cid)
    return along(trustedFrom(hops[at]!), hops.slice(at + 1), target, policy)
  }
}

type Hop = Target & { readonly next: ValidatorSet }

function along(root: Trusted, hops: readonly Hop[], target: Target, policy: TrustPolicy): Walk {
  let trusted = root
  const path = [root.height]
  for (const hop of hops) {
    verifySkip(trusted, hop, policy)
    trusted = trustedFrom(hop)
    path.push(trusted.height)
  }
  return { signed: verifySkip(trusted, target, policy), path: [...path, target.header.height] }
}

/** What a verified epoch, or a checkpoint, is to the next. */
export function trustedFrom({ header: { mesh, height, time }, cid, next }: Hop): Trusted {
  return { mesh, height, time, cid, next }
}

function requireSame(checkpoint: Checkpoint, cid: Uint8Array): void {
  if (equalBytes(checkpoint.cid, cid)) return
  throw new CodedError(
    'E_LIGHT_CHECKPOINT',
    `epoch ${checkpoint.height} of the file is ${cidText(cid)}, and the checkpoint says ${cidText(checkpoint.cid)}`,
    { hint: 'one of the two is of another history: ask more than one whom you trust for the checkpoint' },
  )
}

function notPassed({ height }: Checkpoint, target: number): CodedError {
  if (target < height) {
    return new CodedError(
      'E_LIGHT_CHECKPOINT',
      `epoch ${target} is before the checkpoint ${height}: that vouches for later ones only`,
      {
        hint: `ask somebody you trust for a checkpoint at epoch ${target} or before it`,
      },
    )
  }
  return new CodedError('E_LIGHT_CHECKPOINT', `the path in the file does not pass the checkpoint ${height}`, {
    hint: `a file from it is needed: kairos epoch export ${target} --from ${height}`,
  })
}

function untrusted(mesh: Uint8Array): CodedError {
  return new CodedError(
    'E_LIGHT_UNTRUSTED',
    `the file says that it is of the mesh ${cidText(mesh)}, and nothing but the file says that this is the mesh you mean`,
    {
      hint: 'give the genesis, or the mesh id, as you have it from the people of that mesh: --genesis; or a --checkpoint',
    },
  )
}
