import { CodedError } from '../../protocols/shared/errors.ts'

/** Why a block has not come; a reason of a pin's status (operations-pins.ts). */
export interface FetchProblem {
  code: 'no_providers' | 'dial_failed' | 'stalled'
  message: string
  /** CID of the block that is waited for. */
  missing: string
  /** Since the operation got a block; absent when it got none. */
  lastBlockSecondsAgo?: number
}

/** E_CONTENT_NOT_FOUND, with what is known of the cause. */
export class FetchError extends CodedError {
  override name = 'FetchError'
  readonly problem: FetchProblem

  constructor(message: string, problem: FetchProblem, hint: string) {
    super('E_CONTENT_NOT_FOUND', message, { hint })
    this.problem = problem
  }
}
