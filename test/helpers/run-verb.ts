import { PassThrough, Writable } from 'node:stream'
import { createIo, type GlobalFlags } from '../../node/cli/io.ts'
import { createProgram } from '../../node/cli/program.ts'
import { VERBS } from '../../node/cli/verb-table.ts'
import { TOKEN } from './start-api.ts'

export interface VerbRun {
  stdout: string
  stderr: string
  exitCode: number
  /** Of the error that the verb ended with. */
  code: string | undefined
}

export interface VerbOptions {
  flags?: Partial<GlobalFlags>
  stdin?: string
  /** stderr is a terminal of this width. */
  columns?: number
  /** stdout is a terminal. */
  terminal?: boolean
}

/** Runs one verb in this process, against an API. */
export async function runVerb(
  { url }: { url: string },
  args: string[],
  { flags = {}, stdin = '', columns, terminal: isTTY = false }: VerbOptions = {},
): Promise<VerbRun> {
  const written = { stdout: '', stderr: '' }
  const sink = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk, _encoding, done) {
        written[name] += String(chunk)
        done()
      },
    })
  const terminal = columns === undefined ? {} : { isTTY: true, columns }
  const streams = {
    stdin: new PassThrough().end(stdin),
    stdout: Object.assign(sink('stdout'), { isTTY }),
    stderr: Object.assign(sink('stderr'), terminal),
    env: {},
  }
  const io = createIo(
    streams,
    () => ({ progress: true, api: url, token: TOKEN, ...flags }),
    new AbortController().signal,
  )
  const program = createProgram()
  await (await VERBS[args[0] ?? '']?.())?.register(program, io)
  const code = await program.parseAsync(args, { from: 'user' }).then(
    () => undefined,
    (error: { code?: string }) => error.code ?? String(error),
  )
  return { ...written, exitCode: io.exitCode, code }
}
