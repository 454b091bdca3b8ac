import { CodedError } from '../../../protocols/shared/errors.ts'

/** @returns the error of ours that `action` throws; anything else fails the test */
export function caught(action: () => unknown): CodedError {
  try {
    action()
  } catch (error) {
    if (error instanceof CodedError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
