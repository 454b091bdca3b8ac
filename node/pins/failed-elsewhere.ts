import type { PinOperations } from '../operations-pins.ts'

/** Pins that one `recover` of all touches, about. */
const MAX_RECOVERED = 1_000
const PAGE = 256

/** @returns CIDs of pins that have failed on other nodes */
export async function failedElsewhere(
  pins: Pick<PinOperations, 'statuses'>,
  self: string,
  signal: AbortSignal,
): Promise<string[]> {
  const failed: string[] = []
  let after: string | undefined
  do {
    const page = { limit: PAGE, local: false, ...(after !== undefined && { after }) }
    const { statuses, next } = await pins.statuses({ statuses: ['pin_error'] }, page, signal)
    for (const { cid, copies } of statuses)
      if (copies.some(({ status, peerId }) => status === 'pin_error' && peerId !== self)) failed.push(cid)
    after = next ?? undefined
  } while (after !== undefined && failed.length < MAX_RECOVERED)
  return failed
}
