import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Paths } from '../config/paths.ts'
import { readSecretFile, writeFileDurable } from './files.ts'
import { isMissing, storageError } from './storage-error.ts'

type ApiPaths = Pick<Paths, 'api' | 'apiToken'>

/** How a client verb reaches the running node. */
export interface ApiAccess {
  url: string
  token: string
}

/** @returns a bearer token: 32 random bytes, base64url */
export function createToken(): string {
  return randomBytes(32).toString('base64url')
}

/** Publishes where the node listens; the token first, so that whoever finds the address finds both. */
export async function writeApiFiles(paths: ApiPaths, access: ApiAccess): Promise<void> {
  await writeFileDurable(paths.apiToken, `${access.token}\n`)
  await writeFileDurable(paths.api, `${access.url}\n`)
}

/** @throws {CodedError} E_NODE_NOT_RUNNING when no node has written them, E_MODE_TOO_WIDE */
export async function readApiFiles(paths: ApiPaths): Promise<ApiAccess> {
  try {
    const url = await readFile(paths.api, 'utf8')
    return { url: url.trim(), token: (await readSecretFile(paths.apiToken)).trim() }
  } catch (error) {
    if (!isMissing(error) && !isMissing((error as { cause?: unknown }).cause)) throw storageError(error, paths.api)
    throw new CodedError('E_NODE_NOT_RUNNING', `no node is running on this path (${paths.api} is missing)`, {
      hint: 'start one with kairos run, or name one with --api and --token',
    })
  }
}

export async function removeApiFiles(paths: ApiPaths): Promise<void> {
  await rm(paths.api, { force: true })
  await rm(paths.apiToken, { force: true })
}
