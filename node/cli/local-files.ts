import { createReadStream } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { TarEntry } from '../api/tar/write.ts'

export interface FilesOptions {
  recursive: boolean
  /** Also names that begin with a dot, below the paths given; as in kubo, not unless told. */
  hidden: boolean
  /** Hears of what is left out. */
  note(text: string): void
}

/**
 * Files and directories as entries of an archive, a directory before what it holds, names sorted
 * so that the same tree always gives the same archive.
 *
 * @throws {CodedError} E_PATH_KIND
 */
export async function* localEntries(paths: string[], options: FilesOptions): AsyncIterable<TarEntry> {
  for (const path of paths) yield* entriesAt(path, basename(resolve(path)), options)
}

async function* entriesAt(path: string, name: string, options: FilesOptions): AsyncIterable<TarEntry> {
  const found = await stat(path)
  if (found.isFile()) {
    yield { path: name, type: 'file', size: found.size, content: contentOf(path, found.size) }
    return
  }
  if (!found.isDirectory()) throw new CodedError('E_PATH_KIND', `${path} is neither a file nor a directory`)
  if (!options.recursive)
    throw new CodedError('E_PATH_KIND', `${path} is a directory`, { hint: 'add it with all that it holds: -r' })
  yield { path: name, type: 'directory', size: 0 }
  for (const child of (await readdir(path)).sort()) {
    const below = join(path, child)
    if (child.startsWith('.') && !options.hidden) continue
    if ((await lstat(below)).isSymbolicLink()) options.note(`left out: ${below} is a symbolic link`)
    else yield* entriesAt(below, `${name}/${child}`, options)
  }
}

/** Opened when its turn comes; a file that grows meanwhile is read to the size that was announced. */
async function* contentOf(path: string, size: number): AsyncIterable<Uint8Array> {
  if (size > 0) yield* createReadStream(path, { end: size - 1, highWaterMark: 1_048_576 }) as AsyncIterable<Uint8Array>
}
