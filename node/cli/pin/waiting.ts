import type { PinStatusDocument } from '../../operations.ts'
import type { Io } from '../io.ts'
import { statusText, waitingText } from '../pin-text.ts'
import { createStatusLine } from '../progress.ts'

export interface Waiting {
  /** What a status looks like under `--json`; by default as it is. */
  asRow?: (status: PinStatusDocument) => unknown
  /** Leaves out how it stands at the end. */
  isSilent?: boolean
}

/**
 * Follows a pin, or one after the other, until its copies are held: a line of progress for people, each status under
 * `--json`, and at the end how it stands, which after an error says what is missing.
 */
export async function showWaiting(
  io: Io,
  statuses: AsyncIterable<PinStatusDocument>,
  { asRow = (status) => status, isSilent = false }: Waiting = {},
): Promise<void> {
  const line = createStatusLine(io)
  let last: PinStatusDocument | undefined
  const showLast = async (): Promise<void> => {
    line.clear()
    if (last !== undefined && !io.flags.json && !isSilent) await io.write(textOf(io, last))
  }
  try {
    for await (const status of statuses) {
      if (last !== undefined && last.cid !== status.cid) await showLast()
      last = status
      line.show(() => waitingText(status))
      if (io.flags.json && !isSilent) await io.row(asRow(status), () => '')
    }
  } finally {
    await showLast()
  }
}

function textOf({ flags }: Io, status: PinStatusDocument): string {
  return flags.quiet === undefined ? statusText(status, Date.now()) : `${status.cid}\n`
}
