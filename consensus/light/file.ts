import { CodedError } from '../../protocols/shared/errors.ts'
import { cidOf } from '../epoch/cid.ts'
import { equalBytes } from './bytes.ts'
import { encode, type Data } from './cbor.ts'
import { bytesOf, decodeWithin, fieldsOf, listOf, malformed, tupleOf } from './read.ts'
import { broken, type Target, type ValidatorSet } from './skip.ts'
import { readCertificate, readHeader, readSet } from './wire.ts'

/** Of an exported epoch, as a file. */
export const MAX_EXPORT_BYTES = 16_777_216
export const MAX_HOPS = 1024
const FILE = { maxBytes: MAX_EXPORT_BYTES, maxItems: 5 * MAX_HOPS + 32 }
const BLOCK = { maxBytes: 1_048_576, maxItems: 8 }
const LISTS = ['precommits', 'reports', 'attestations', 'governance', 'evidence'] as const

/** An epoch on the path, as bytes. */
export interface HopBytes {
  readonly header: Uint8Array
  readonly validators: Uint8Array
  readonly next: Uint8Array
  readonly certificate: Uint8Array
}

/** An exported epoch: all that a stranger needs to verify it (spec.md). */
export interface ExportBytes {
  readonly genesis: Uint8Array
  /** from the first after the genesis or checkpoint to the last before the epoch */
  readonly path: readonly HopBytes[]
  /** the whole block */
  readonly epoch: Uint8Array
  readonly validators: Uint8Array
  readonly certificate: Uint8Array
  /** the mesh's state before the epoch, where it was at hand: with it all of the block can be recomputed */
  readonly state: Uint8Array | null
}

export function encodeExport({ genesis, path, epoch, validators, certificate, state }: ExportBytes): Uint8Array {
  const hops = path.map((hop) => [hop.header, hop.validators, hop.next, hop.certificate])
  const fields = { v: 1, genesis, path: hops, epoch, validators, certificate, state }
  const bytes = encode(new Map<string, Data>(Object.entries(fields)))
  if (path.length <= MAX_HOPS && bytes.length <= MAX_EXPORT_BYTES) return bytes
  throw new CodedError('E_LIGHT_EXPORT_TOO_LARGE', `the way to this epoch takes ${path.length} epochs`, {
    hint: 'export it from a later checkpoint: --from HEIGHT',
  })
}

/** @throws {CodedError} E_LIGHT_FILE */
export function decodeExport(bytes: Uint8Array): ExportBytes {
  const { v, genesis, path, epoch, validators, certificate, state } = fieldsOf(
    'the file',
    decodeWithin('the file', bytes, FILE),
    ...(['v', 'genesis', 'path', 'epoch', 'validators', 'certificate', 'state'] as const),
  )
  if (v !== 1) throw malformed('the file is of a later version than this program reads')
  return {
    genesis: bytesOf('the genesis', genesis),
    path: listOf('the path', path, MAX_HOPS).map(hopOf),
    epoch: bytesOf('the epoch', epoch),
    validators: bytesOf('the validators', validators),
    certificate: bytesOf('the certificate', certificate),
    state: state === null ? null : bytesOf('the state', state),
  }
}

function hopOf(value: Data): HopBytes {
  const parts = tupleOf('an epoch of the path', value, 4).map((part) => bytesOf('its part', part))
  const [header, validators, next, certificate] = parts as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  return { header, validators, next, certificate }
}

/** An epoch of the path, and who decides the next. */
export function readHop(hop: HopBytes): Target & { readonly next: ValidatorSet } {
  const target = readTarget(hop)
  const next = readSet(hop.next)
  if (equalBytes(next.cid, target.header.nextValidators)) return { ...target, next }
  throw broken(target.header.height, 'the set of the next epoch that comes with it is another')
}

function readTarget({ header, validators, certificate }: Omit<HopBytes, 'next'>): Target {
  return {
    header: readHeader(header),
    cid: cidOf(header),
    validators: readSet(validators),
    certificate: readCertificate(certificate),
  }
}

/** The exported epoch; its lists, state and header are those that its header and block name. */
export function readEpoch({ epoch, validators, certificate, state }: ExportBytes): Target {
  const parts = tupleOf('the epoch', decodeWithin('the epoch', epoch, BLOCK), 6)
  const [header, ...lists] = parts.map((part) => bytesOf('a part of the epoch', part))
  const target = readTarget({ header: header!, validators, certificate })
  LISTS.forEach((name, i) => {
    if (!equalBytes(cidOf(lists[i]!), target.header[name])) {
      throw broken(target.header.height, `its ${name} are not those that were decided on`)
    }
  })
  if (state !== null && !equalBytes(cidOf(state), target.header.state)) {
    throw broken(target.header.height, 'the state that comes with it is another')
  }
  return target
}
