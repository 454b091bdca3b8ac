import { readFile } from 'node:fs/promises'
import { chainCodec, meshIdOf, parseGenesis, type Certificate, type Genesis } from '../../protocols/admission/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Paths } from '../config/paths.ts'
import { writeFileDurable } from '../storage/files.ts'
import { isMissing, storageError } from '../storage/storage-error.ts'

/** What makes a node a member, as its directory holds it. */
export interface MembershipFiles {
  genesis: Genesis
  /** Empty for a founder. */
  chain: Certificate[]
}

/** @returns undefined when the node belongs to no mesh yet */
export async function readMembership(paths: Paths): Promise<MembershipFiles | undefined> {
  const genesis = await readOptional(paths.genesis)
  if (genesis === undefined) return undefined
  const certificate = await readOptional(paths.certificate)
  try {
    return {
      genesis: parseGenesis(JSON.parse(genesis.toString('utf8'))),
      chain: certificate === undefined ? [] : chainCodec.decode(certificate),
    }
  } catch (cause) {
    throw new CodedError('E_MEMBERSHIP_CORRUPT', `${paths.genesis} or ${paths.certificate} cannot be read`, {
      hint: 'restore both from a backup, or move them away and join again with the same key and ticket',
      cause,
    })
  }
}

/** @throws {CodedError} E_MEMBERSHIP_MISSING, E_MEMBERSHIP_CORRUPT */
export async function requireMembership(paths: Paths): Promise<MembershipFiles> {
  const files = await readMembership(paths)
  if (files !== undefined) return files
  throw new CodedError('E_MEMBERSHIP_MISSING', 'this node belongs to no mesh yet', {
    hint: 'kairos init makes a mesh of one; kairos join TICKET enters one; a founder adopts its genesis with kairos init --genesis FILE',
  })
}

/**
 * The certificate first: a genesis in place is what says that the node is a member. The genesis of
 * a mesh that is left stays beside it as `genesis.old-…`, the end of its mesh id: it may be the only one.
 */
export async function writeMembership(paths: Paths, files: MembershipFiles): Promise<void> {
  const former = (await readMembership(paths))?.genesis
  if (former !== undefined && meshIdOf(former) !== meshIdOf(files.genesis)) {
    await writeFileDurable(`${paths.genesis}.old-${meshIdOf(former).slice(-8)}`, genesisText(former))
  }
  if (files.chain.length > 0) await writeFileDurable(paths.certificate, chainCodec.encode(files.chain))
  await writeFileDurable(paths.genesis, genesisText(files.genesis))
}

/** A genesis as people read it; its id is that of its dag-cbor form, whatever the spacing here. */
export function genesisText(genesis: Genesis): string {
  return `${JSON.stringify(genesis, null, 2)}\n`
}

/** As its genesis says; others may have entered it with tickets since. */
export function isMeshOfOne({ genesis, chain }: MembershipFiles): boolean {
  return chain.length === 0 && genesis.operators.length === 1 && genesis.operators[0]?.founders.length === 1
}

async function readOptional(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw storageError(error, file)
  }
}
