import { Option, type Command } from 'commander'
import type {
  PinDocument,
  PinListDocument,
  PinMode,
  PinStatusDocument,
  PinStatusListDocument,
} from '../../operations.ts'
import { createClient, type Client } from '../client.ts'
import type { Io } from '../io.ts'
import { pinsText, pinText, statusText } from '../pin-text.ts'
import { countArgument, examples } from '../program.ts'
import { printable } from '../text.ts'
import { metadataOption } from './flags.ts'

const CID = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
const LARGEST_PAGE = 1000

interface LookFlags {
  name?: string
  metadata?: Record<string, string>
  mode?: PinMode
  allocatedTo?: string
  order?: string
  limit?: number
  after?: string
  all?: true
  filter?: string
  local?: true
}

function lookFlags(command: Command): Command {
  return command
    .option('--name <start>', 'those whose name begins with this')
    .addOption(metadataOption('those that have this; may be given again'))
    .addOption(new Option('--mode <mode>', 'those of this mode').choices(['recursive', 'direct']))
    .option('--allocated-to <peer>', 'those that this node is to hold; peer id or name')
    .addOption(new Option('--order <order>', 'by this').choices(['cid', 'name', 'created']))
    .option('--limit <n>', 'how many, up to 1000; 100 unless told', countArgument(1))
    .option('--after <cursor>', 'go on behind this, as the page before tells')
    .option('--all', 'page by page to the end')
}

export function registerLs(pin: Command, io: Io): void {
  const command = pin
    .command('ls [cid]')
    .description('what was agreed on: one pin, or a page of them')
    .option('--local', 'what this node keeps itself')
  lookFlags(command).action(async (path: string | undefined, flags: LookFlags) => {
    const client = createClient(io)
    if (path !== undefined) {
      const document = await client.get<PinDocument>('/pins/get', { path })
      return io.document(document, () => textOf(io, [document], () => pinText(document)))
    }
    return pages(io, flags, {
      load: (page) => client.get<PinListDocument>('/pins', page),
      rowsOf: ({ pins }: PinListDocument) => pins,
      text: (pins, isFirst) => textOf(io, pins, () => pinsText(pins, isFirst)),
    })
  })
  examples(
    command,
    'kairos pin ls',
    'kairos pin ls --name hello --metadata team=sky --order created',
    'kairos pin ls --local',
    'kairos pin ls --all --json',
  )
}

export function registerStatus(pin: Command, io: Io): void {
  const command = pin
    .command('status [cid]')
    .description(
      'what is observed of one pin, or of a page of them: each copy, why it is not there, when it was proven',
    )
    .option('--local', 'at this node alone')
    .option('--filter <statuses>', 'those with a copy in one of these, such as pinning,pin_error')
  lookFlags(command).action(async (path: string | undefined, flags: LookFlags) => {
    const client = createClient(io)
    const show = (rows: PinStatusDocument[]) =>
      textOf(io, rows, () => rows.map((row) => statusText(row, Date.now())).join('\n'))
    if (path !== undefined) {
      const document = await client.get<PinStatusDocument>('/pins/status', { path, local: flags.local })
      return io.document(document, () => show([document]))
    }
    return pages(io, flags, {
      load: (page) => client.get<PinStatusListDocument>('/pins/statuses', page),
      rowsOf: ({ statuses }: PinStatusListDocument) => statuses,
      text: (rows, isFirst) => `${isFirst || rows.length === 0 || io.flags.quiet ? '' : '\n'}${show(rows)}`,
    })
  })
  examples(
    command,
    `kairos pin status ${CID}`,
    'kairos pin status --filter pinning,pin_error',
    'kairos pin status --local --all --json',
  )
}

/** Under `-q` the CIDs alone. */
function textOf({ flags }: Io, rows: { cid: string }[], text: () => string): string {
  return flags.quiet === undefined ? text() : rows.map(({ cid }) => `${cid}\n`).join('')
}

interface Pages<D extends { next: string | null }, R> {
  load(page: Parameters<Client['get']>[1]): Promise<D>
  rowsOf(document: D): R[]
  text(rows: R[], isFirst: boolean): string
}

/** One page as it is, or all of them as a stream. */
async function pages<D extends { next: string | null }, R>(
  io: Io,
  flags: LookFlags,
  { load, rowsOf, text }: Pages<D, R>,
): Promise<void> {
  const query = queryOf(flags)
  if (flags.all === undefined) {
    const document = await load(query)
    await io.document(document, () => text(rowsOf(document), true))
    if (document.next !== null && !io.flags.json)
      io.note(`there are more: --after ${printable(document.next)}, or --all`)
    return
  }
  let after = flags.after
  for (let isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const document = await load({ ...query, limit: flags.limit ?? LARGEST_PAGE, after })
    const rows = rowsOf(document)
    if (io.flags.json) for (const row of rows) await io.row(row, () => '')
    else await io.write(text(rows, isFirst))
    after = document.next ?? undefined
  }
}

function queryOf({ metadata, filter, all: _all, ...flags }: LookFlags) {
  return {
    ...flags,
    metadata: metadata === undefined ? undefined : JSON.stringify(metadata),
    statuses: filter,
  }
}
