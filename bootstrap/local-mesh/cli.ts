import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CodedError } from '../../protocols/shared/errors.ts'

const BIN = fileURLToPath(new URL('../../node/bin.js', import.meta.url))
/** Of a child's stderr, kept for the message when it fails. */
const MAX_KEPT_CHARS = 8192

/**
 * Runs one `kairos` command as a person would, on the directory of one node.
 *
 * @param signal - ends the command; the promise settles when its process has ended in any case
 * @returns its stdout
 * @throws {CodedError} E_LOCAL_MESH with what it said on stderr
 */
export async function kairos(path: string, args: string[], signal: AbortSignal): Promise<string> {
  const child = spawn(process.execPath, [BIN, '--path', path, ...args], { stdio: ['ignore', 'pipe', 'pipe'], signal })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  const stderr = tailOf(child)
  const code = await exitOf(child)
  if (code === 0) return stdout
  throw new CodedError('E_LOCAL_MESH', `kairos ${args.slice(0, 2).join(' ')} failed (${code}): ${stderr().trim()}`)
}

/** A node that runs until told to stop. It leaves by itself when this process is gone (IPC channel closed). */
export function startNode(path: string): { child: ChildProcess; stderr: () => string } {
  const args = [BIN, '--path', path, 'run', '--quiet']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  return { child, stderr: tailOf(child) }
}

/** @returns the exit code or the signal that ended it, once all that it printed is here */
function exitOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'))
    // Aborting it is an error too, but one after which it still has to end.
    child.on('error', (error) => child.pid === undefined && reject(error))
  })
}

function tailOf(child: ChildProcess): () => string {
  let kept = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    kept = (kept + chunk).slice(-MAX_KEPT_CHARS)
  })
  return () => kept
}
