import type { Command } from 'commander'
import { open } from 'node:fs/promises'
import { EXIT } from '../../error-table.ts'
import type { PinExportRow, PinImportRow } from '../../operations.ts'
import { createClient } from '../client.ts'
import { createWhole, writeNew } from '../extract.ts'
import type { Io } from '../io.ts'
import { listArgument, replicationFlags } from '../pin/flags.ts'
import { examples, type Register } from '../program.ts'
import { createStatusLine, rate } from '../progress.ts'
import { printable } from '../text.ts'

export const register: Register = (program, io) => {
  const state = program.command('state').description('the agreed pinset as a file: JSON lines')
  examples(state, 'kairos state export -o pins.jsonl')
  registerExport(state, io)
  registerImport(state, io)
}

function registerExport(state: Command, io: Io): void {
  const command = state
    .command('export')
    .description('every pin, oldest first, one per line')
    .option('-o, --output <file>', 'where; stdout unless told')
    .action(async ({ output }: { output?: string }) => {
      const rows = createClient(io).rows<PinExportRow>('/state/export')
      if (output === undefined) {
        for await (const row of rows) await io.write(`${JSON.stringify(row)}\n`)
        return
      }
      const counted = { pins: 0 }
      await createWhole(output, (place) => writeNew(place, encoded(rows, counted)))
      await io.document({ output, ...counted }, () => `saved ${counted.pins} pins to ${output}`)
    })
  examples(command, 'kairos state export -o pins.jsonl', 'kairos state export | head -1')
}

async function* encoded(rows: AsyncIterable<PinExportRow>, counted: { pins: number }): AsyncIterable<Uint8Array> {
  for await (const row of rows) {
    counted.pins++
    yield Buffer.from(`${JSON.stringify(row)}\n`)
  }
}

interface ImportFlags {
  rmin?: number
  rmax?: number
  allocations?: string[]
}

function registerImport(state: Command, io: Io): void {
  const command = state
    .command('import <file>')
    .description('pin what the lines of an export name, - reads stdin; exit code 4 when a line was refused')
  replicationFlags(command)
    .option(
      '--allocations <peers>',
      'in place of all that the lines name, between commas; "" for new ones',
      listArgument,
    )
    .action((file: string, flags: ImportFlags) => importPins(io, file, flags))
  examples(
    command,
    'kairos state export -o pins.jsonl && kairos state import pins.jsonl --rmin 1 --rmax 2',
    'kairos state export | kairos state import - --allocations ""',
  )
}

async function importPins(io: Io, file: string, { rmin, rmax, allocations }: ImportFlags): Promise<void> {
  const line = createStatusLine(io)
  const started = performance.now()
  const query = { replicationMin: rmin, replicationMax: rmax, allocations: allocations?.join(',') }
  const chunks = file === '-' ? (io.stdin as AsyncIterable<Uint8Array>) : (await open(file)).createReadStream()
  const body = { type: 'application/x-ndjson', chunks: chunks as AsyncIterable<Uint8Array> }
  for await (const row of createClient(io).upload<PinImportRow>('/state/import', query, body)) {
    if (row.type === 'progress') line.show(() => progressText(row.imported, started))
    if (row.type === 'progress' && !io.flags.json) continue
    line.clear()
    if (row.type === 'end' && row.refused > 0) io.exitCode = EXIT.refused
    await io.row(row, () => importText(row))
  }
}

function progressText(imported: number, started: number): string {
  return `${imported} imported, ${Math.round(rate(imported, started))}/s`
}

function importText(row: PinImportRow): string {
  if (row.type === 'refused') return printable(`line ${row.line}: ${row.cid} ${row.code}: ${row.message}`)
  const refused = row.type === 'end' && row.refused > 0 ? `, ${row.refused} refused` : ''
  return `${row.imported} imported${refused}`
}
