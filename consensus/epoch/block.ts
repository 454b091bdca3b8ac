import { CodedError, codeOf } from '../../protocols/shared/errors.ts'
import { equalBytes } from '../light/bytes.ts'
import { encodeLists, linksOf, LISTS, partsCodec, readLists, type BlockLists, type BlockParts } from './block-codec.ts'
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

/** Blocks that were checked and are to be made final, by their bytes: reading one is half the work of taking it. */
const checked = new WeakMap<Uint8Array, OpenedBlock>()

/** @returns the block in these bytes, or the code of why there is none: too large, not canonical, lists of another */
export function openBlock(bytes: Uint8Array): OpenedBlock | string {
  const known = checked.get(bytes)
  if (known !== undefined) return known
  try {
    const parts = partsCodec.decode(bytes)
    const header = headerCodec.decode(parts.header)
    return isLinked(header, parts) ? readBlock(header, parts) : 'E_EPOCH_LINKS'
  } catch (error) {
    return unreadable(error)
  }
}

/** Has `openBlock` know the block until `forgetBlock`, or as long as somebody has the bytes. */
export function rememberBlock(bytes: Uint8Array, block: OpenedBlock): void {
  checked.set(bytes, block)
}

/** Who keeps the bytes of a final epoch, or the block, need not keep what was made of them. */
export function forgetBlock(bytes: Uint8Array, block: OpenedBlock): void {
  checked.delete(bytes)
  states.delete(block)
}

/** @param parts - whose lists are those that the header links to. @throws {CodedError} E_FRAME_… */
export function readBlock(header: EpochHeader, parts: BlockParts): OpenedBlock {
  return { header, ...readLists(parts), value: valueOf(parts.header) }
}

/** @returns the code for a block whose decoding threw this */
export function unreadable(error: unknown): string {
  return codeOf(error) === 'E_FRAME_TOO_LARGE' ? 'E_EPOCH_TOO_LARGE' : 'E_EPOCH_MALFORMED'
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
  const after = stateAfter(state, block)
  if (typeof after === 'string') throw new CodedError(after, `epoch ${block.header.height} cannot be applied`)
  return after
}

/** One state object for who checks an epoch and who makes it final: it is encoded and hashed once. */
const states = new WeakMap<OpenedBlock, { readonly before: MeshState; readonly after: MeshState }>()

/** As `applyBlock`. @returns the code of the rule that the block breaks where it is not valid on this state */
export function stateAfter(state: MeshState, block: OpenedBlock): MeshState | string {
  const known = states.get(block)
  if (known?.before === state) return known.after
  const draft = transition(state, block, TRUSTED)
  if (typeof draft === 'string') return draft
  const after = settled(draft, { time: block.header.time, value: block.value })
  states.set(block, { before: state, after })
  return after
}
