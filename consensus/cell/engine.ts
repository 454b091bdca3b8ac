/** The engine's vocabulary, as the cell speaks it. */
export * from '../../wasm/raft/types.ts'
