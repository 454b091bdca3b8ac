import type { Clock, IngestEvent, Sample, SignalConfig } from '../../../node/coherence/index.ts'
import { createIngest } from '../../../node/coherence/index.ts'

/** The text as a live stream, in chunks of `size` bytes. */
export async function* bytesOf(text: string, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** A clock that passes only by sleeping. */
export function sleepingClock(): Clock & { slept: number[] } {
  let now = 0
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms)
      now += ms
    },
  }
}

export interface Collected {
  readonly samples: Sample[]
  readonly events: IngestEvent[]
}

/** All samples of a signal; `limit` aborts after so many. */
export async function collect(config: SignalConfig, text = '', limit = Infinity): Promise<Collected> {
  const abort = new AbortController()
  const collected: Collected = { samples: [], events: [] }
  const onEvent = (event: IngestEvent) => void collected.events.push(event)
  const deps = { signal: abort.signal, onEvent, clock: sleepingClock(), stdin: bytesOf(text) }
  for await (const batch of createIngest(config, deps)) {
    collected.samples.push(...batch)
    if (collected.samples.length >= limit) abort.abort()
  }
  return collected
}

/** The error that collecting a signal ends with. */
export async function failure(
  config: SignalConfig,
  text: string,
): Promise<{ code: string; message: string; hint?: string }> {
  try {
    await collect(config, text)
  } catch (error) {
    return error as { code: string; message: string; hint?: string }
  }
  throw new Error('the signal did not fail')
}
