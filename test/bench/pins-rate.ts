import { setTimeout as delay } from 'node:timers/promises'

const LONGEST_MS = 120_000
const POLL_MS = 20

/** pins/s from the first request: until all were acknowledged, until all copies of all were seen */
export interface PinRates {
  committed: number
  held: number
}

/** @param held - how many of them all hold who are to hold them, as they say */
export async function pinRates(
  pins: number,
  work: () => Promise<void>,
  held: () => Promise<number>,
): Promise<PinRates> {
  const began = performance.now()
  const perSecond = (): number => Math.round((pins * 1000) / (performance.now() - began))
  await work()
  const committed = perSecond()
  const until = performance.now() + LONGEST_MS
  for (;;) {
    const count = await held()
    if (count >= pins) return { committed, held: perSecond() }
    if (performance.now() > until)
      throw new Error(`${LONGEST_MS} ms after the answers ${count} of ${pins} pins are held`)
    await delay(POLL_MS)
  }
}

/** Each item once, by so many clients at a time. */
export async function byClients(count: number, items: readonly string[], work: (item: string) => Promise<unknown>) {
  const left = items.values()
  const client = async (): Promise<void> => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: count }, client))
}
