import { setTimeout as delay } from 'node:timers/promises'
import type { Io } from './io.ts'

export interface View {
  document: unknown
  text: () => string
}

/**
 * Shows a view once, or with `--watch` again and again until interrupted: in place on a terminal,
 * one line per document under `--json`.
 *
 * @param flags.every - seconds between two looks
 */
export async function watch(io: Io, flags: { watch?: true; every: number }, look: () => Promise<View>): Promise<void> {
  if (flags.watch === undefined) {
    const { document, text } = await look()
    return io.document(document, text)
  }
  const clear = io.stdout.isTTY === true && io.flags.json === undefined ? '\u001b[H\u001b[2J' : ''
  for (;;) {
    const { document, text } = await look()
    await io.row(document, () => `${clear}${text()}`)
    await delay(flags.every * 1000, undefined, { signal: io.signal })
  }
}
