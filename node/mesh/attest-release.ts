import { isQuorum, powerOf, totalPower, type MeshState } from '../../consensus/epoch/index.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import { strictKeyFrom } from '../../protocols/admission/index.ts'
import type { CellState } from '../cell/types.ts'
import { operatorOf } from './attest-body.ts'
import type { MeshService } from './types.ts'

/** Epochs for which the cell says that it does without a member; one that has not gone by then is a member again. */
export const LEAVING_EPOCHS = 60

export interface ReleaseInit {
  /** name of the cell */
  name: string
  cell: Pick<CellState, 'submit'>
  mesh: Pick<MeshService, 'state' | 'onFinal'>
}

/**
 * Before a member goes: where the record could not change without its signature or its vote, has it recorded first that
 * the cell does without it. Of a cell of two, both must sign; of three validators that are alone, all must vote.
 *
 * @returns whether the record can go on without it; false when that was not recorded before the signal
 * @throws {CodedError} as the cell does
 */
export async function release(init: ReleaseInit, peerId: string, signal: AbortSignal): Promise<boolean> {
  const { name, cell, mesh } = init
  const key = strictKeyFrom(peerId)
  if (!isNeeded(name, mesh.state, key)) return true
  await cell.submit({ type: 'member-leaving', peerId, until: mesh.state.height + LEAVING_EPOCHS })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const end = mesh.onFinal((_, state) => {
    if (!isNeeded(name, state, key)) resolve(true)
  })
  const onAbort = (): void => resolve(false)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    end()
  }
}

/** A cell that it is the last member of can say nothing without it, and the record then keeps it. */
function isNeeded(cell: string, state: MeshState, key: Uint8Array): boolean {
  const { members = [] } = operatorOf(cell, state) ?? {}
  const others = members.filter((member) => !equalBytes(member, key)).length
  if (others === 0) return false
  const isSigner = others < members.length && others * 2 <= members.length
  return isSigner || [state.validators, state.nextValidators].some((set) => hasVeto(set, key))
}

function hasVeto(validators: MeshState['validators'], key: Uint8Array): boolean {
  const [power, total] = [powerOf(validators, key), totalPower(validators)]
  return power > 0 && !isQuorum(total - power, total)
}
