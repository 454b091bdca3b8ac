import { CodedError } from '../../protocols/shared/errors.ts'
import type { PinCopy, PinStatusDocument, PinWait } from '../operations-pins.ts'
import { isForGood } from './tracker/index.ts'

const FIRST_LOOK_MS = 25
const LAST_LOOK_MS = 1_000

/**
 * Looks again and again, ever more slowly, until enough copies are pinned; gives each status that differs from the last.
 *
 * @throws {CodedError} E_PARAMETER where more copies are waited for than there are to be, E_DAG_TOO_LARGE or
 *   E_CONTENT_MALFORMED where too many have failed for good, E_TIMEOUT; saying what is missing
 */
export async function* untilPinned(
  look: () => Promise<PinStatusDocument>,
  { copies, timeoutMs }: PinWait,
  signal: AbortSignal,
): AsyncGenerator<PinStatusDocument> {
  const deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs
  let last = ''
  for (let ms = FIRST_LOOK_MS; ; ms = Math.min(ms * 2, LAST_LOOK_MS)) {
    const status = await look()
    refuseTooMany(status, copies)
    const text = JSON.stringify(status)
    if (text !== last) {
      yield status
      ms = Math.min(ms, 4 * FIRST_LOOK_MS)
    }
    last = text
    if (isEnough(status, copies)) return
    refuseFailed(status, copies)
    if (performance.now() + ms > deadline) throw late(status, copies)
    await pause(ms, signal)
  }
}

function isEnough({ pinned, copies }: PinStatusDocument, wanted: number | undefined): boolean {
  if (wanted !== undefined) return pinned >= wanted
  return copies.length > 0 && copies.every(({ status }) => status === 'pinned')
}

/** Copies that count as one domain are one, however many are pinned. */
function refuseTooMany({ cid, pinned, copies }: PinStatusDocument, wanted: number | undefined): void {
  if (wanted === undefined || copies.length === 0) return
  const isWhole = copies.every(({ status }) => status === 'pinned')
  const most = isWhole ? pinned : copies.length
  if (wanted <= most) return
  throw new CodedError(
    'E_PARAMETER',
    `${cid}: ${wanted} copies are waited for, and there are to be ${most} that count`,
    {
      hint: 'the pin is agreed on: wait for fewer, or ask for more copies with --rmin and --rmax',
    },
  )
}

function refuseFailed({ cid, copies }: PinStatusDocument, wanted = copies.length): void {
  const failed = copies.filter(isLost)
  const [first] = failed
  if (first === undefined || copies.length - failed.length >= wanted) return
  const { code, message } = first.reason!
  throw new CodedError(
    code === 'too_large' ? 'E_DAG_TOO_LARGE' : 'E_CONTENT_MALFORMED',
    `${cid} cannot be pinned: ${first.name}: ${message}`,
    { hint: 'trying again changes nothing about it; `kairos pin rm` takes the pin back' },
  )
}

function isLost({ status, reason }: PinCopy): boolean {
  return status === 'pin_error' && reason !== null && isForGood(reason)
}

function late({ cid, pinned, copies }: PinStatusDocument, wanted = copies.length): CodedError {
  const stuck = copies.filter(({ status }) => status !== 'pinned')
  const why = stuck.map(({ name, status, reason }) => `${name} is ${status}${reason ? ` (${reason.message})` : ''}`)
  return new CodedError('E_TIMEOUT', `${cid}: ${pinned} of ${wanted} copies are pinned; ${why.join('; ')}`, {
    hint: 'the pin is agreed on and goes on: `kairos pin status` tells how far it is',
  })
}

/** @throws the reason of the signal, as soon as it has one */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })
}
