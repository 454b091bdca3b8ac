export { isForGood, reasonOf } from './reasons.ts'
export { Tracker } from './tracker.ts'
export type { Tracked, Wanted } from './types.ts'
