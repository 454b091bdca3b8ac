import { EXIT } from '../error-table.ts'
import type { GcRow, VerifyRow } from '../operations.ts'
import type { Io } from './io.ts'
import { createStatusLine, percent, rate } from './progress.ts'
import { humanSize, printable } from './text.ts'

/** Shows what is wrong as it is found; exit code 5 when something is and was not repaired. */
export async function showVerify(io: Io, rows: AsyncIterable<VerifyRow>): Promise<void> {
  const line = createStatusLine(io)
  const started = performance.now()
  let open = 0
  let last: VerifyRow | undefined
  for await (const row of rows) {
    last = row
    if (row.type === 'damaged' || row.type === 'missing') open++
    if (row.type === 'repaired') open--
    line.show(() => checkedText(row, started))
    if (row.type === 'progress' && !io.flags.json) continue
    line.clear()
    if (row.type !== 'end' || io.flags.json) await io.row(row, () => verifyText(row))
  }
  line.clear()
  if (open > 0) io.exitCode = EXIT.unhealthy
  if (last !== undefined && !io.flags.json) await io.write(`${summary(last, open)}\n`)
}

function checkedText({ blocks, bytes, totalBlocks }: VerifyRow, started: number): string {
  const part = [percent(blocks, totalBlocks), `${blocks} blocks checked`].filter((text) => text !== '').join(', ')
  return `${part}, ${humanSize(bytes)}, ${humanSize(rate(bytes, started))}/s`
}

function verifyText({ type, cid = '', message }: VerifyRow): string {
  const why = message === undefined ? '' : `: ${message}`
  return printable(`${type === 'failed' ? 'not repaired' : type} ${cid}${why}`)
}

function summary({ blocks, bytes }: VerifyRow, open: number): string {
  const verdict = open === 0 ? 'all is well' : `${open} ${open === 1 ? 'is' : 'are'} damaged or missing`
  return `${blocks} blocks checked, ${humanSize(bytes)}: ${verdict}`
}

export async function showGc(io: Io, rows: AsyncIterable<GcRow>): Promise<void> {
  const line = createStatusLine(io)
  const started = performance.now()
  for await (const row of rows) {
    line.show(() => gcProgress(row, started))
    if (!row.done && !io.flags.json) continue
    line.clear()
    await io.row(row, () => gcText(row))
  }
}

function gcProgress({ examined, freedBytes, totalBlocks }: GcRow, started: number): string {
  const part = [percent(examined, totalBlocks), `${examined} blocks examined`].filter((text) => text !== '').join(', ')
  return `${part}, ${Math.round(rate(examined, started))}/s, ${humanSize(freedBytes)} freed`
}

function gcText({ examined, removed, freedBytes, spared, sparedBytes }: GcRow): string {
  const inUse = spared === 0 ? '' : `; ${spared} of no pin yet, ${humanSize(sparedBytes)}, are in use`
  return `${removed} of ${examined} blocks removed, ${humanSize(freedBytes)} freed${inUse}`
}
