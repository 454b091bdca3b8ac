import { messageOf } from '../../protocols/shared/errors.ts'
import { lines, MAX_LINE_CHARS } from '../coherence/ingest/lines.ts'
import type { PinExportRow, PinImportLine, PinRefusedRow } from '../operations.ts'
import { exportRow } from './pin-schema.ts'

/**
 * Pins of an upload, one per line of JSON; a line that is none comes as `refused` with its number. Empty lines are
 * left out. Memory stays under one chunk and one line.
 */
export async function* readPinLines(upload: AsyncIterable<Uint8Array>): AsyncGenerator<PinImportLine> {
  for await (const { first, lines: texts } of lines()(upload)) {
    for (const [index, text] of texts.entries()) {
      if (text === null || text.trim() !== '') yield readLine(first + index, text)
    }
  }
}

function readLine(line: number, text: string | null): PinImportLine {
  if (text === null) return refused(line, 'E_INPUT_LINE', `the line is longer than ${MAX_LINE_CHARS} characters`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return refused(line, 'E_JSON', `the line is no JSON: ${messageOf(error)}`)
  }
  const parsed = exportRow.safeParse(value)
  if (parsed.success) return { type: 'pin', line, pin: parsed.data as PinExportRow }
  const [issue] = parsed.error.issues
  const where = issue?.path.join('.') ?? ''
  const message = `${where === '' ? '' : `${where}: `}${issue?.message ?? 'not valid'}`
  return { ...refused(line, 'E_PARAMETER', message), cid: cidOf(value) }
}

function refused(line: number, code: string, message: string): PinRefusedRow {
  return { type: 'refused', line, cid: '', code, message }
}

function cidOf(value: unknown): string {
  const cid = value !== null && typeof value === 'object' ? (value as { cid?: unknown }).cid : undefined
  return typeof cid === 'string' ? cid.slice(0, 256) : ''
}
