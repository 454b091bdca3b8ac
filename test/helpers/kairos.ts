import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')
export const BIN = join(ROOT, 'node/bin.js')

export interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  input?: string
  /** The Node to start it with. */
  node?: string
}

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Variables of whoever runs the tests must not reach the program. */
export function cleanEnv(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(KAIROS_|XDG_|NODE_OPTIONS$)/.test(name))
  return { ...Object.fromEntries(own), ...env }
}

/** Starts the command line as a person would. */
export function startKairos(args: string[], options: RunOptions = {}): ChildProcessWithoutNullStreams {
  const { cwd, env, node = process.execPath } = options
  return spawn(node, [BIN, ...args], { ...(cwd === undefined ? {} : { cwd }), env: cleanEnv(env) })
}

export async function kairos(args: string[], options: RunOptions = {}): Promise<Ended> {
  const child = startKairos(args, options)
  child.stdin.end(options.input)
  return ended(child)
}

export async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}
