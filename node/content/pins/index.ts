export { createLocalPins } from './local-pins.ts'
export type * from './types.ts'
