const MESSAGES = {
  E_KERNEL_LENGTH: 'an array is shorter than the length asked for',
  E_KERNEL_RANGE: 'a parameter is outside its range',
  E_KERNEL_MEMORY: 'this machine has no memory for an array of that length',
  E_KERNEL_ARRAY: 'an array was freed, belongs to other kernels, has another type, or is given twice',
  E_QUANTISE_RANGE: 'a value is not in [-1, 1] and has no Q1.30 form',
  E_REPORT_RANGE: 'a weight or T is out of range, or the weights sum to 2^33 or more',
} as const

export type KernelErrorCode = keyof typeof MESSAGES

/** What a kernel refuses; branch on `code`. The same from wasm and from its twin. */
export class KernelError extends Error {
  override name = 'KernelError'
  readonly code: KernelErrorCode

  constructor(code: KernelErrorCode, message: string = MESSAGES[code]) {
    super(message)
    this.code = code
  }
}

/** @throws KernelError `code` unless it holds */
export function require(holds: boolean, code: KernelErrorCode): asserts holds {
  if (!holds) throw new KernelError(code)
}

/** Whether what came out of wasm is a refusal; anything else that is thrown there is a fault of ours. */
export function isRefusal(thrown: unknown): thrown is KernelErrorCode {
  return typeof thrown === 'string' && Object.hasOwn(MESSAGES, thrown)
}
