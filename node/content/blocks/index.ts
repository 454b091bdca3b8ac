export { BlockStore } from './block-store.ts'
export { collect } from './collect.ts'
export { matches } from './hashes.ts'
export type { BlockStoreInit } from './shelf.ts'
