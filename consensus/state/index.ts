export { allocate, defaultReplication, replicationOf } from './allocation.ts'
export { commandCodec, timeOfCommand, versionOf, type Command, type CommandOf } from './commands.ts'
export { applyEntries, type Batch } from './batch.ts'
export type { StateChange } from './draft.ts'
export * from './limits.ts'
export { applyEntry, type Halt, type Mark, type Outcome, type State } from './machine.ts'
export { EVERYWHERE, pinSpecSchema, type PinSpec } from './pin-commands.ts'
export { isPinCid } from './pin-cid.ts'
export * from './pin-readers.ts'
export * from './readers.ts'
export { planRepair, type PinMove, type PinShort, type RepairPlan, type RepairReason } from './repair.ts'
export type { RepairFacts } from './repair-copies.ts'
export type {
  AppliedMark,
  AttestedRecord,
  CertificateRecord,
  MemberRecord,
  Result,
  RevocationRecord,
} from './records.ts'
export type { Seat } from './seats.ts'
export { FOUNDER_RAFT_ID, initialState, stateOf } from './state.ts'
export { blocks, linksOf, load, type Block } from './tree-blocks.ts'
export {
  del,
  EMPTY,
  EMPTY_ROOT,
  entries,
  fromSorted,
  get,
  root,
  set,
  size,
  TreeBuilder,
  type Tree,
  type TreeEntry,
} from './tree.ts'
