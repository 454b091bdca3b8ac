import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cleanEnv, ROOT } from '../helpers/kairos.ts'
import type { Figure } from './figure.ts'

const LAUNCHER = join(ROOT, 'bootstrap/local-mesh/main.ts')

/** The nine processes of `npm start`: from nothing, and from the directories that they left. */
export async function benchMesh(): Promise<Figure[]> {
  const path = await mkdtemp(join(tmpdir(), 'kairos-mesh-'))
  try {
    const fresh = await readySeconds(path, '--fresh')
    const again = await readySeconds(path)
    return [
      { name: 'local mesh of nine, from nothing: ready', value: fresh, unit: 's', target: '≤ 20' },
      { name: 'local mesh of nine, again: ready', value: again, unit: 's', target: '≤ 20' },
    ]
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

async function readySeconds(path: string, ...flags: string[]): Promise<number> {
  const args = ['--disable-warning=ExperimentalWarning', LAUNCHER, '--once', '--json', '--path', path, ...flags]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: cleanEnv() })
  return (JSON.parse(stdout) as { readyMs: number }).readyMs / 1000
}
