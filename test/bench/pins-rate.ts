import { setTimeout as delay } from 'node:timers/promises'

const LONGEST_MS = 60_000
const POLL_MS = 20

/** pins/s from the first request: until all were acknowledged, until all copies of all were seen */
export interface PinRates {
  committed: number
  held: number
}

/** @param areHeld - asks those who are to hold them */
export async function pinRates(
  pins: number,
  work: () => Promise<void>,
  areHeld: () => Promise<boolean>,
): Promise<PinRates> {
  const began = performance.now()
  const perSecond = (): number => Math.round((pins * 1000) / (performance.now() - began))
  await work()
  const committed = perSecond()
  const until = performance.now() + LONGEST_MS
  while (!(await areHeld())) {
    if (performance.now() > until) throw new Error(`${pins} pins were not all held ${LONGEST_MS} ms after their answers`)
    await delay(POLL_MS)
  }
  return { committed, held: perSecond() }
}

/** Each item once, by so many clients at a time. */
export async function byClients(count: number, items: readonly string[], work: (item: string) => Promise<unknown>) {
  const left = items.values()
  const client = async (): Promise<void> => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: count }, client))
}
