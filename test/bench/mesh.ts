import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cleanEnv, ROOT } from '../helpers/kairos.ts'
import type { Figure } from './figure.ts'

/** The nine processes of `npm start`, from nothing to ready. */
export async function benchMesh(): Promise<Figure[]> {
  const path = await mkdtemp(join(tmpdir(), 'kairos-mesh-'))
  try {
    const launcher = join(ROOT, 'bootstrap/local-mesh/main.ts')
    const args = [launcher, '--once', '--json', '--fresh', '--path', join(path, 'mesh')]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: cleanEnv() })
    const { readyMs, nodes } = JSON.parse(stdout) as { readyMs: number; nodes: unknown[] }
    return [
      { name: 'local mesh: processes', value: nodes.length, unit: 'nodes' },
      { name: 'local mesh: fresh start to ready', value: readyMs / 1000, unit: 's', target: '≤ 20' },
    ]
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}
