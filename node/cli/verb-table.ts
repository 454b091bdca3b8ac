import type { Register } from './program.ts'

type Load = () => Promise<{ register: Register }>

/** Every verb, in the order of `help`. Only the one that is called gets loaded. */
export const VERBS: Readonly<Record<string, Load>> = {
  init: () => import('./verbs/init.ts'),
  genesis: () => import('./verbs/genesis.ts'),
  run: () => import('./verbs/run.ts'),
  stop: () => import('./verbs/stop.ts'),
  invite: () => import('./verbs/invite.ts'),
  join: () => import('./verbs/join.ts'),
  leave: () => import('./verbs/leave.ts'),
  id: () => import('./verbs/id.ts'),
  version: () => import('./verbs/version.ts'),
  status: () => import('./verbs/status.ts'),
  peers: () => import('./verbs/peers.ts'),
  members: () => import('./verbs/members.ts'),
  cell: () => import('./verbs/cell.ts'),
  query: () => import('./verbs/query.ts'),
  add: () => import('./verbs/add.ts'),
  cat: () => import('./verbs/cat.ts'),
  get: () => import('./verbs/get.ts'),
  ls: () => import('./verbs/ls.ts'),
  stat: () => import('./verbs/stat.ts'),
  pin: () => import('./verbs/pin.ts'),
  repo: () => import('./verbs/repo.ts'),
  state: () => import('./verbs/state.ts'),
  epoch: () => import('./verbs/epoch.ts'),
  validators: () => import('./verbs/validators.ts'),
  coherence: () => import('./verbs/coherence.ts'),
  config: () => import('./verbs/config.ts'),
  key: () => import('./verbs/key.ts'),
  log: () => import('./verbs/log.ts'),
  doctor: () => import('./verbs/doctor.ts'),
  completion: () => import('./verbs/completion.ts'),
}
