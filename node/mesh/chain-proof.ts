import { CID } from 'multiformats/cid'
import type { Sublevel } from '../storage/sublevel.ts'
import { damagedChain, type ChainHead, type StoredEpoch } from './chain-head.ts'
import { heightKey, heightOfKey } from './store-head.ts'

/** Heights before the head whose rows are looked for at the start. */
const PROVEN_AT_START = 4096

/** As the store of epochs has it. */
interface Kept {
  epoch(height: number): Promise<StoredEpoch | undefined>
  stateAt(height: number): Promise<Uint8Array | undefined>
  heightOf(value: Uint8Array): Promise<number | undefined>
}

/**
 * The ends, and that nothing is missing between them; what is read later is checked by its CID.
 *
 * @param values - height to CID
 * @throws {CodedError} E_MESH_STORE_DAMAGED
 */
export async function proveChain({ height, value, oldest }: ChainHead, kept: Kept, values: Sublevel): Promise<void> {
  if (height === 0) return proveEmpty(values)
  const [state, epoch, first] = await Promise.all([kept.stateAt(height), kept.epoch(height), kept.epoch(oldest)])
  if (epoch === undefined || first === undefined) throw damagedChain(`an epoch of ${oldest} to ${height} is missing`)
  if (state === undefined) throw damagedChain(`the state of epoch ${height} is missing`)
  if (!Buffer.from(epoch.value).equals(value)) {
    throw damagedChain(`epoch ${height} is ${CID.decode(epoch.value)}, ${CID.decode(value)} was written`)
  }
  if ((await kept.heightOf(value)) !== height) throw damagedChain(`the head ${CID.decode(value)} has no height`)
  let expected = Math.max(oldest, height - PROVEN_AT_START)
  for await (const key of values.keys({ gte: heightKey(expected) })) {
    if (heightOfKey(key) !== expected++) throw damagedChain(`there is no epoch ${expected - 1}`)
  }
  if (expected !== height + 1) throw damagedChain(`it ends at epoch ${expected - 1}, ${height} was written`)
}

async function proveEmpty(values: Sublevel): Promise<void> {
  for await (const key of values.keys({ limit: 1 })) {
    throw damagedChain(`there is an epoch ${heightOfKey(key)} after its end at 0`)
  }
}
