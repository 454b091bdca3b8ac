import type { Readable } from 'node:stream'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { writeTar } from '../../api/tar/write.ts'
import type { AddRow } from '../../operations.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'
import { localEntries } from '../local-files.ts'
import { examples, type Register } from '../program.ts'
import { createProgress } from '../progress.ts'
import { printable } from '../text.ts'

interface Flags {
  recursive?: true
  wrapWithDirectory?: true
  quieter?: true
  hidden?: true
  name?: string
}

export const register: Register = (program, io) => {
  const command = program
    .command('add <path...>')
    .description('add files and directories; - reads stdin')
    .option('-r, --recursive', 'directories with all that they hold')
    .option('-w, --wrap-with-directory', 'put what is added into a directory')
    .option('-Q, --quieter', 'print only the last CID')
    .option('-H, --hidden', 'also names that begin with a dot')
    .option('--name <name>', 'name of the one file, for - or in place of its own')
    .action((paths: string[], flags: Flags) => add(io, paths, flags))
  examples(command, 'kairos add hello.txt', 'kairos add -r -w photos', 'echo hello | kairos add -Q - --name hello.txt')
}

async function add(io: Io, paths: string[], flags: Flags): Promise<void> {
  const progress = createProgress(io, 'sent')
  const { query, body } = bodyOf(io, paths, flags)
  const chunks = progress.count(body.chunks)
  const params = { ...query, wrap: flags.wrapWithDirectory }
  let last: AddRow | undefined
  for await (const row of createClient(io).upload<AddRow>('/add', params, { ...body, chunks })) {
    last = row
    if (flags.quieter !== undefined) continue
    progress.clear()
    await io.row(row, () => describe(row, io))
  }
  progress.clear()
  if (last !== undefined && flags.quieter !== undefined) await io.row(last, () => last.cid)
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

function describe({ cid, path }: AddRow, { flags }: Io): string {
  return flags.quiet === undefined ? `added ${cid} ${printable(path) || cid}` : cid
}
