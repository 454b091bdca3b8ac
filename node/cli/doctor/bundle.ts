import { writeFile } from 'node:fs/promises'
import { loadConfig } from '../../config/load.ts'
import { resolvePaths } from '../../config/paths.ts'
import { messageOf } from '../../../protocols/shared/errors.ts'
import { redact } from '../../api/redact.ts'
import type { Finding } from '../../operations.ts'
import { version } from '../../version.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'

/**
 * A report for whoever helps: what the node says of itself, with everything named like a secret
 * hidden. It reads no key file. A part that cannot be had is there as its error.
 *
 * @throws {CodedError} E_IO when the file exists or cannot be written
 */
export async function writeBundle(io: Io, file: string, findings: Finding[]): Promise<void> {
  const client = createClient(io)
  const { config: path } = resolvePaths({ path: io.flags.path, env: io.env })
  const parts = {
    config: async () => (await loadConfig({ path, env: io.env })).config,
    status: () => client.get('/status'),
    peers: () => client.get('/peers'),
    coherence: () => client.get('/coherence'),
    validators: () => client.get('/validators'),
    metrics: () => client.text('/metrics'),
    log: () => client.get('/log'),
  }
  const bundle: Record<string, unknown> = { created: new Date().toISOString(), version: version(), findings }
  for (const [name, read] of Object.entries(parts)) {
    bundle[name] = await read().then(redact, (error: unknown) => ({ error: messageOf(error) }))
  }
  await writeFile(file, `${JSON.stringify(bundle, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
}
