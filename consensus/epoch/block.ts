import { CodedError, codeOf } from '../../protocols/shared/errors.ts'
import { equalBytes } from '../light/bytes.ts'
import { encodeLists, linksOf, LISTS, partsCodec, readParts, type BlockLists, type BlockParts } from './block-codec.ts'
import { headerCodec, valueOf } from './header-codec.ts'
import { cidOfSet } from './set-codec.ts'
import { TRUSTED } from './signed-bytes.ts'
import { cidOfState } from './state-codec.ts'
import { settled, transition } from './transition.ts'
import type { EpochBlock, EpochHeader, MeshState } from './types.ts'

/** A block with the value it is voted for under; its lists are those that the header links to. */
export interface OpenedBlock extends EpochBlock {
  readonly value: Uint8Array
}

/** @returns the block in these bytes, or the code of why there is none: too large, not canonical, lists of another */
export function openBlock(bytes: Uint8Array): OpenedBlock | string {
  try {
    const parts = partsCodec.decode(bytes)
    const header = headerCodec.decode(parts.header)
    if (!isLinked(header, parts)) return 'E_EPOCH_LINKS'
    return { ...readParts(parts), value: valueOf(parts.header) }
  } catch (error) {
    return codeOf(error) === 'E_FRAME_TOO_LARGE' ? 'E_EPOCH_TOO_LARGE' : 'E_EPOCH_MALFORMED'
  }
}

/** @returns whether the bytes are the block that the value names, header and lists: one value, one string of bytes */
export function matchesValue(value: Uint8Array, bytes: Uint8Array): boolean {
  try {
    const parts = partsCodec.decode(bytes)
    return equalBytes(valueOf(parts.header), value) && isLinked(headerCodec.decode(parts.header), parts)
  } catch {
    return false
  }
}

/** @returns whether these are the lists that the header links to */
export function isLinked(header: EpochHeader, parts: BlockParts): boolean {
  const links = linksOf(parts)
  return LISTS.every((name) => equalBytes(links[name], header[name]))
}

/** A block from the fields that are its builder's; all others follow from the state. */
export function sealBlock(
  state: MeshState,
  own: Pick<EpochHeader, 'round' | 'time' | 'proposer' | 't' | 'median' | 'decision'>,
  lists: BlockLists,
): { bytes: Uint8Array; block: OpenedBlock } {
  const parts = encodeLists(lists)
  const header: EpochHeader = { ...own, ...expected(state), ...linksOf(parts) }
  const encoded = headerCodec.encode(header)
  const bytes = partsCodec.encode({ header: encoded, ...parts })
  return { bytes, block: { header, ...lists, value: valueOf(encoded) } }
}

/** The fields of the next header that follow from the state before it. */
export function expected(state: MeshState) {
  return {
    v: 1,
    mesh: state.mesh,
    height: state.height + 1,
    previous: state.head,
    validators: cidOfSet(state.validators),
    nextValidators: cidOfSet(state.nextValidators),
    state: cidOfState(state),
  } as const
}

/** @returns a code when the header does not follow on the state; says nothing about its proposer, time or numbers */
export function checkChain(state: MeshState, header: EpochHeader): string | undefined {
  const due = expected(state)
  if (!equalBytes(header.mesh, due.mesh)) return 'E_EPOCH_MESH'
  if (header.height !== due.height) return 'E_EPOCH_HEIGHT'
  if (!equalBytes(header.previous, due.previous)) return 'E_EPOCH_PREVIOUS'
  if (!equalBytes(header.validators, due.validators)) return 'E_EPOCH_VALIDATORS'
  if (!equalBytes(header.nextValidators, due.nextValidators)) return 'E_EPOCH_NEXT_VALIDATORS'
  return equalBytes(header.state, due.state) ? undefined : 'E_EPOCH_STATE'
}

/**
 * The state after a block that has been checked or that a certificate stands for.
 *
 * @throws {CodedError} when the block is not valid on this state
 */
export function applyBlock(state: MeshState, block: OpenedBlock): MeshState {
  const draft = transition(state, block, TRUSTED)
  if (typeof draft === 'string') throw new CodedError(draft, `epoch ${block.header.height} cannot be applied`)
  return settled(draft, { time: block.header.time, value: block.value })
}
