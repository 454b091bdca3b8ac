import { CodedError } from '../../../protocols/shared/errors.ts'

/** @returns the error of ours that the promise is rejected with; anything else fails the test */
export async function refused(promise: Promise<unknown>): Promise<CodedError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof CodedError) return error
    throw error
  }
  throw new Error('it was not refused')
}
