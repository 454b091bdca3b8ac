import { spawn, type ChildProcess } from 'node:child_process'
import { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../node/cli/run-command.ts'
import { EXIT } from '../../node/error-table.ts'
import { CodedError } from '../../protocols/shared/errors.ts'

const BIN = fileURLToPath(new URL('../../node/bin.js', import.meta.url))
/** Of a child's stderr, kept for the message when it fails. */
const MAX_KEPT_CHARS = 8192

/**
 * One `kairos` command as a person would type it, on the directory of one node; in this process, which has started once
 * already.
 *
 * @param signal - ends the command early
 * @returns its stdout
 * @throws {CodedError} E_LOCAL_MESH with what it said on stderr
 */
export async function kairos(path: string, args: string[], signal: AbortSignal): Promise<string> {
  const [stdout, stderr] = [new Kept(), new Kept()]
  const streams = { stdin: Readable.from([]), stdout, stderr, env: process.env }
  const code = await runCommand(['--path', path, ...args], streams, signal)
  if (code === EXIT.ok) return stdout.text
  throw new CodedError('E_LOCAL_MESH', `kairos ${args.slice(0, 2).join(' ')} failed (${code}): ${stderr.text.trim()}`)
}

class Kept extends Writable {
  text = ''

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk)
    done()
  }
}

/** A node that runs until told to stop. It leaves by itself when this process is gone (IPC channel closed). */
export function startNode(path: string): { child: ChildProcess; stderr: () => string } {
  const args = [BIN, '--path', path, 'run', '--quiet']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  return { child, stderr: tailOf(child) }
}

function tailOf(child: ChildProcess): () => string {
  let kept = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    kept = (kept + chunk).slice(-MAX_KEPT_CHARS)
  })
  return () => kept
}
