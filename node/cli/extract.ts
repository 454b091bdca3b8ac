import { createWriteStream } from 'node:fs'
import { lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { CodedError } from '../../protocols/shared/errors.ts'
import { readTar } from '../api/tar/read.ts'
import { isMissing } from '../storage/storage-error.ts'

/**
 * Makes a new file or directory and fills it somewhere else first: what stands at `target` is
 * always whole. Nothing that exists is replaced or followed.
 *
 * @param fill - writes to the path that it is given, which does not exist yet
 * @throws {CodedError} E_EXISTS
 */
export async function createWhole(target: string, fill: (place: string) => Promise<void>): Promise<void> {
  await refuseExisting(target)
  const folder = dirname(resolve(target))
  const workshop = await mkdtemp(join(folder, '.kairos-get-')).catch((error: unknown) => {
    // Of the two it is the folder that the user knows of.
    throw Object.assign(error as Error, { path: folder })
  })
  try {
    const place = join(workshop, 'content')
    await fill(place)
    await refuseExisting(target)
    await rename(place, target)
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
}

/**
 * Unpacks an archive whose entries all lie under its first one; that one becomes `place`.
 *
 * @throws {CodedError} E_TAR for an entry that lies elsewhere
 */
export async function extractTar(archive: AsyncIterable<Uint8Array>, place: string): Promise<void> {
  let root: string | undefined
  for await (const { path, type, content } of readTar(archive)) {
    root ??= path
    if (path !== root && !path.startsWith(`${root}/`))
      throw new CodedError('E_TAR', `the entry ${path} is not under ${root}`)
    // readTar gives no path with `..`, and all that is under `place` was made here: no links.
    const target = join(place, path.slice(root.length))
    if (type === 'directory') await mkdir(target)
    else await writeNew(target, content ?? [])
  }
  if (root === undefined) throw new CodedError('E_TAR', 'the archive is empty')
}

export async function writeNew(file: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  await pipeline(content, createWriteStream(file, { flags: 'wx' }))
}

async function refuseExisting(target: string): Promise<void> {
  try {
    await lstat(target)
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  throw new CodedError('E_EXISTS', `${target} exists`, { hint: 'choose another place with -o, or remove it' })
}
