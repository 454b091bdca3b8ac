import type { Register } from './program.ts'

type Load = () => Promise<{ register: Register }>

/** Every verb, in the order of `help`. Only the one that is called gets loaded. */
export const VERBS: Readonly<Record<string, Load>> = {
  version: () => import('./verbs/version.ts'),
}
