import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Operations } from '../../node/operations.ts'
import { fakeOperations } from './fake-operations.ts'
import { startApi, TOKEN } from './start-api.ts'

export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'kairos-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** The API of a node that is not there, and a directory as the node would leave it. */
export async function fakeNode(overrides: Partial<Operations> = {}) {
  const directory = await temporaryDirectory()
  const operations = fakeOperations(overrides)
  const api = await startApi(operations)
  await writeApi(directory.path, api.url)
  const stop = async () => {
    await api.stop()
    await directory.remove()
  }
  return { path: directory.path, url: api.url, operations, api, stop }
}

export async function writeApi(path: string, url: string, token = TOKEN): Promise<void> {
  await writeFile(join(path, 'api'), `${url}\n`, { mode: 0o600 })
  await writeFile(join(path, 'api.token'), `${token}\n`, { mode: 0o600 })
}
