import { CodedError } from '../../protocols/shared/errors.ts'
import { NO_REPO } from '../pins/unavailable.ts'
import type { Content } from './types.ts'

const refuse = (): never => {
  throw new CodedError('E_NOT_IN_ROLE', 'a relay keeps no content', {
    hint: 'ask a full or light node of the mesh: kairos --path DIR, or --api URL',
  })
}

/** For roles that forward the content of others and keep none: nothing of Helia is loaded. */
export const NO_CONTENT: Content = {
  name: 'content',
  start: async () => undefined,
  stop: async () => undefined,
  usage: async () => ({ usedBytes: 0, quotaBytes: 0 }),
  get local(): never {
    return refuse()
  },
  repo: NO_REPO,
  space: async () => ({ freeBytes: 0, totalBytes: 0 }),
  put: refuse,
  resolve: refuse,
  fetch: refuse,
  stored: refuse,
  fetching: refuse,
  pushTo: refuse,
  add: refuse,
  cat: refuse,
  walk: refuse,
  car: refuse,
  ls: refuse,
  stat: refuse,
}
