import { randomBytes } from 'node:crypto'
import { access, constants, link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { CodedError } from '../../protocols/shared/errors.ts'
import { storageError } from './storage-error.ts'

const SECRET_MODE = 0o600
const DIRECTORY_MODE = 0o700
const OTHERS = 0o077

export interface WriteOptions {
  /** 0600 unless told. */
  mode?: number
  /** Fail with EEXIST (as `cause`) rather than replace a file. */
  exclusive?: boolean
  /** Configuration key that names the place, for the hint. */
  configKey?: string
}

/**
 * Writes the whole file or nothing: temporary file, fsync, rename, fsync of the directory. When
 * it resolves, the bytes survive a power cut; a reader never sees half of them.
 *
 * @throws {CodedError} E_STORAGE_UNWRITABLE, E_DISK_FULL, E_STORAGE_IO
 */
export async function writeFileDurable(file: string, data: string | Uint8Array, options: WriteOptions = {}) {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', options.mode ?? SECRET_MODE)
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // A link, unlike a rename, never replaces: the file appears whole and only once.
    await (options.exclusive === true ? link(temporary, file) : rename(temporary, file))
    await syncDirectory(dirname(file))
  } catch (error) {
    throw storageError(error, file, options.configKey)
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}

/**
 * Reads a key or token.
 *
 * @throws {CodedError} E_MODE_TOO_WIDE when others may read it; E_STORAGE_* with the cause otherwise
 */
export async function readSecretFile(file: string): Promise<string> {
  try {
    checkMode(file, (await stat(file)).mode, SECRET_MODE)
    return await readFile(file, 'utf8')
  } catch (error) {
    throw storageError(error, file)
  }
}

/**
 * Creates a directory of the node (0700) where it is missing, and makes sure of one that is there.
 *
 * @throws {CodedError} E_MODE_TOO_WIDE, E_STORAGE_UNWRITABLE, E_DISK_FULL
 */
export async function ensureDirectory(directory: string, configKey?: string): Promise<void> {
  try {
    const created = await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })
    if (created !== undefined) await syncDirectory(dirname(resolve(created)))
    checkMode(directory, (await stat(directory)).mode, DIRECTORY_MODE)
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw storageError(error, directory, configKey)
  }
}

export async function syncDirectory(directory: string): Promise<void> {
  // Windows opens no directories, and keeps renames in its journal.
  if (process.platform === 'win32') return
  const handle = await open(directory, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function checkMode(path: string, mode: number, wanted: number): void {
  if (process.platform === 'win32' || (mode & OTHERS) === 0) return
  const octal = (bits: number) => (bits & 0o777).toString(8).padStart(4, '0')
  throw new CodedError(
    'E_MODE_TOO_WIDE',
    `${path} has mode ${octal(mode)}: others can get at it, ${octal(wanted)} is asked`,
    {
      hint: `chmod ${octal(wanted)} '${path}'`,
    },
  )
}
