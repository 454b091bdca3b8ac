import { CodedError } from '../../protocols/shared/errors.ts'
import type { PinOperations, RepoOperations } from '../operations.ts'

const refuse = (): never => {
  throw new CodedError('E_NOT_IN_ROLE', 'this node keeps no pins', {
    hint: 'ask a full or light node of the mesh: kairos --path DIR, or --api URL',
  })
}

/** For roles that forward the content of others and keep none. */
export const NO_PINS: PinOperations = {
  add: refuse,
  addAndWait: refuse,
  remove: refuse,
  update: refuse,
  list: refuse,
  get: refuse,
  status: refuse,
  statuses: refuse,
  recover: refuse,
  verify: refuse,
  plan: refuse,
  export: refuse,
  import: refuse,
}

export const NO_REPO: RepoOperations = { stat: refuse, gc: refuse, verify: refuse }
