import type { Readable } from 'node:stream'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { writeTar } from '../../api/tar/write.ts'
import type { AddPinRow, AddRow, PinDocument, PinStatusDocument } from '../../operations.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'
import { localEntries } from '../local-files.ts'
import { replicationFlags, waitFlags, type WaitFlags } from '../pin/flags.ts'
import { showWaiting } from '../pin/waiting.ts'
import { examples, type Register } from '../program.ts'
import { createProgress, type Progress } from '../progress.ts'
import { printable } from '../text.ts'

interface Flags extends WaitFlags {
  recursive?: true
  wrapWithDirectory?: true
  quieter?: true
  hidden?: true
  name?: string
  pin?: true
  rmin?: number
  rmax?: number
}

export const register: Register = (program, io) => {
  const command = program
    .command('add <path...>')
    .description('add files and directories; - reads stdin')
    .option('-r, --recursive', 'directories with all that they hold')
    .option('-w, --wrap-with-directory', 'put what is added into a directory')
    .option('-Q, --quieter', 'print only the last CID')
    .option('-H, --hidden', 'also names that begin with a dot')
    .option('--name <name>', 'name of the one file, for - or in place of its own; with --pin also of the pin')
    .option('--pin', 'agree that it is kept, while it is added')
  waitFlags(replicationFlags(command)).action((paths: string[], flags: Flags) => add(io, paths, flags))
  examples(
    command,
    'kairos add hello.txt',
    'kairos add -r -w photos',
    'echo hello | kairos add -Q - --name hello.txt',
    'kairos add hello.txt --pin --rmin 2 --wait',
  )
}

async function add(io: Io, paths: string[], flags: Flags): Promise<void> {
  const progress = createProgress(io, 'sent')
  const { query, body } = bodyOf(io, paths, flags)
  const params = { ...query, wrap: flags.wrapWithDirectory, ...pinParams(flags) }
  const rows = createClient(io).upload<AddRow | AddPinRow>('/add', params, {
    ...body,
    chunks: progress.count(body.chunks),
  })
  await showWaiting(io, showRows(io, rows, { progress, quieter: flags.quieter }), {
    asRow: (status) => ({ status }),
    isSilent: flags.quieter !== undefined,
  })
  progress.clear()
}

interface Shown {
  progress: Progress
  quieter: true | undefined
}

/** Prints all rows but those of waiting, which are for whoever waits. */
async function* showRows(
  io: Io,
  rows: AsyncIterable<AddRow | AddPinRow>,
  { progress, quieter }: Shown,
): AsyncGenerator<PinStatusDocument> {
  let last: AddRow | undefined
  const showLast = async () => {
    if (last !== undefined && quieter !== undefined) await io.row(last, () => last?.cid ?? '')
    last = undefined
  }
  for await (const row of rows) {
    progress.clear()
    if ('cid' in row) last = row
    else await showLast()
    if ('status' in row) yield row.status
    else if (quieter === undefined) await io.row(row, () => describe(row, io))
  }
  progress.clear()
  await showLast()
}

function pinParams(flags: Flags): Record<string, string | number | boolean | undefined> {
  const { pin, name, rmin, rmax, wait, waitLimit, waitTimeout } = flags
  if (pin === undefined && [rmin, rmax, wait].some((flag) => flag !== undefined))
    throw new CodedError('E_USAGE', '--rmin, --rmax and --wait go with --pin')
  if (pin === undefined) return {}
  const waitTimeoutMs = waitTimeout === undefined ? undefined : Math.ceil(waitTimeout * 1000)
  return { pin, pinName: name, replicationMin: rmin, replicationMax: rmax, wait, waitCopies: waitLimit, waitTimeoutMs }
}

interface Body {
  query: { name?: string }
  body: { type: string; chunks: AsyncIterable<Uint8Array> }
}

function bodyOf(io: Io, paths: string[], { name, recursive, hidden }: Flags): Body {
  if (paths.length > 1 && (name !== undefined || paths.includes('-')))
    throw new CodedError('E_USAGE', 'stdin and --name go with one path only')
  if (paths[0] === '-') return oneStream(io.stdin, name ?? 'stdin')
  const entries = localEntries(paths, { recursive: recursive === true, hidden: hidden === true, note: io.note })
  const chunks = writeTar(name === undefined ? entries : renamed(entries, name))
  return { query: {}, body: { type: 'application/x-tar', chunks } }
}

function oneStream(stdin: Readable, name: string): Body {
  return { query: { name }, body: { type: 'application/octet-stream', chunks: stdin as AsyncIterable<Uint8Array> } }
}

async function* renamed<T extends { path: string }>(entries: AsyncIterable<T>, name: string): AsyncIterable<T> {
  let root: string | undefined
  for await (const entry of entries) {
    root ??= entry.path
    yield { ...entry, path: `${name}${entry.path.slice(root.length)}` }
  }
}

function describe(row: AddRow | { pin: PinDocument }, { flags }: Io): string {
  if ('pin' in row) return flags.quiet === undefined ? `pinned ${row.pin.cid} ${printable(row.pin.name)}`.trimEnd() : ''
  const { cid, path } = row
  return flags.quiet === undefined ? `added ${cid} ${printable(path) || cid}` : cid
}
