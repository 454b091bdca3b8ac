import { CodedError } from '../../protocols/shared/errors.ts'
import type { PinStatusDocument, PinWait } from '../operations-pins.ts'

const FIRST_LOOK_MS = 25
const LAST_LOOK_MS = 1_000

/**
 * Looks again and again, ever more slowly, until enough copies are pinned; gives each status that differs from the last.
 *
 * @throws {CodedError} E_TIMEOUT saying what is missing
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
    const text = JSON.stringify(status)
    if (text !== last) {
      yield status
      ms = Math.min(ms, 4 * FIRST_LOOK_MS)
    }
    last = text
    if (isEnough(status, copies)) return
    if (performance.now() + ms > deadline) throw late(status, copies)
    await pause(ms, signal)
  }
}

function isEnough({ pinned, copies }: PinStatusDocument, wanted: number | undefined): boolean {
  if (wanted !== undefined) return pinned >= wanted
  return copies.length > 0 && copies.every(({ status }) => status === 'pinned')
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
