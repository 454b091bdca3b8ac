import { applyBlock, openBlock, stateCodec, type MeshState } from '../../consensus/epoch/index.ts'
import { STATE_EVERY, type ChainStore } from './chain.ts'

/**
 * The state before an epoch, worked out from the nearest that is kept: what lets a stranger recompute an exported epoch.
 *
 * @param genesis - the state that epoch 1 follows on
 * @returns encoded; undefined when neither it nor what it follows from is kept
 */
export async function stateBefore(
  chain: Pick<ChainStore, 'stateAt' | 'epoch'>,
  genesis: MeshState,
  height: number,
): Promise<Uint8Array | undefined> {
  const kept = await chain.stateAt(height - 1)
  if (kept !== undefined) return kept
  const base = Math.floor((height - 1) / STATE_EVERY) * STATE_EVERY
  const bytes = base === 0 ? stateCodec.encode(genesis) : await chain.stateAt(base)
  if (bytes === undefined) return undefined
  let state = stateCodec.decode(bytes)
  while (state.height < height - 1) {
    const epoch = await chain.epoch(state.height + 1)
    const block = epoch && openBlock(epoch.block)
    if (block === undefined || typeof block === 'string') return undefined
    state = applyBlock(state, block)
  }
  return stateCodec.encode(state)
}
