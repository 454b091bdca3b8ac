import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface NumpyTimes {
  readonly times: readonly NumpyTime[]
  /** a sentence: what was measured */
  readonly versions: string
}

interface NumpyTime {
  /** the case, as `kernels-cases.ts` calls it */
  readonly id: string
  readonly size: string
  readonly how: string
  /** nanoseconds an item of that case */
  readonly ns: number
  /** whether wasm must not be slower; only the fastest way of a case is held against it */
  readonly isHeld: boolean
}

// The kernels are of one thread, and BLAS waits long for a second one on a machine that is not idle.
const ONE_THREAD = { OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1', OMP_NUM_THREADS: '1' }

/** The same sizes in NumPy and SciPy, by the python3 of the PATH, on one thread. */
export async function timeNumpy(): Promise<NumpyTimes | { missing: string }> {
  const script = new URL('numpy.py', import.meta.url).pathname
  try {
    const { stdout } = await promisify(execFile)('python3', [script], { env: { ...process.env, ...ONE_THREAD } })
    return JSON.parse(stdout) as NumpyTimes
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string }
    if (code !== 'ENOENT' && !stderr.includes('ModuleNotFoundError')) throw error
    const what = code === 'ENOENT' ? 'python3 is not on the PATH' : 'python3 has no NumPy or no SciPy'
    return { missing: `Not held against NumPy: ${what}; get it by \`pip install numpy scipy\`.` }
  }
}
