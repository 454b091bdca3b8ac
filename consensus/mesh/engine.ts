/** The engine of an epoch, as the driver sees it: types only, and the refusal that it throws. */
export * from '../../wasm/bft/types.ts'
