import { assert } from 'chai'
import { CodedError } from '../../protocols/shared/errors.ts'

/** Asserts that a call throws an error of ours with this code, a sentence of this kind, and what to do next. */
export function assertRefused(call: () => unknown, code: string, why: RegExp = /./): CodedError {
  const error = thrownBy(call)
  assert.instanceOf(error, CodedError)
  const coded = error as CodedError
  assert.deepInclude({ code: coded.code }, { code }, coded.message)
  assert.match(coded.message, why)
  assert.isString(coded.hint)
  return coded
}

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return assert.fail('nothing was refused')
}
