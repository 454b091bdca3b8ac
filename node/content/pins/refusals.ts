import type { CID } from 'multiformats/cid'
import { CodedError } from '../../../protocols/shared/errors.ts'

export function stopping(): CodedError {
  return new CodedError('E_STOPPING', 'the pins of this node are not open')
}

export function unknown(cid: CID): CodedError {
  return new CodedError('E_PIN_UNKNOWN', `${cid} is not pinned here`, { hint: 'see what is with `kairos pin ls`' })
}
