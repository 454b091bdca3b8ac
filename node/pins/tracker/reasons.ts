import { codeOf, messageOf } from '../../../protocols/shared/errors.ts'
import { FetchError } from '../../content/fetch-problem.ts'
import type { PinReason } from '../../operations-pins.ts'

const REASONS: readonly (readonly [RegExp, PinReason['code']])[] = [
  [/^E_CONTENT_NOT_FOUND$/, 'no_providers'],
  [/^E_(DIAL_FAILED|PEER_UNREACHABLE|BLOCKS_DIAL)$/, 'dial_failed'],
  [/^E_QUOTA$/, 'quota'],
  [/^E_(DAG_TOO_LARGE|BLOCK_TOO_LARGE)$/, 'too_large'],
  [/^E_(CODEC_UNSUPPORTED|CONTENT_MALFORMED|HASH_UNSUPPORTED|CID_INVALID)$/, 'invalid'],
  [/^E_(DISK_FULL|STORAGE|BLOCK_CORRUPT)/, 'storage'],
]

/** Why a pin failed, as people read it. */
export function reasonOf(error: unknown, missing?: string): PinReason {
  if (error instanceof FetchError) return { ...error.problem, message: messageOf(error) }
  const code = REASONS.find(([pattern]) => pattern.test(codeOf(error)))?.[1] ?? 'stalled'
  return { code, message: messageOf(error), ...(missing === undefined ? {} : { missing }) }
}

/** Trying again changes nothing about these: the content itself is at fault. */
export function isForGood({ code }: PinReason): boolean {
  return code === 'too_large' || code === 'invalid'
}
