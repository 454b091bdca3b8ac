import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Figure } from './figure.ts'

const LAUNCHER = fileURLToPath(new URL('../../bootstrap/local-mesh/main.ts', import.meta.url))

/** The README's first command after the install: nine processes, from nothing and from their directories. */
export async function benchMesh(): Promise<Figure[]> {
  const path = await mkdtemp(join(tmpdir(), 'kairos-bench-'))
  try {
    const fresh = await ready(path, '--fresh')
    const again = await ready(path)
    return [
      { name: 'local mesh of nine, from nothing: ready', value: fresh / 1000, unit: 's', target: '≤ 20' },
      { name: 'local mesh of nine, again: ready', value: again / 1000, unit: 's', target: '≤ 20' },
    ]
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

async function ready(path: string, ...flags: string[]): Promise<number> {
  const args = ['--disable-warning=ExperimentalWarning', LAUNCHER, '--once', '--json', '--path', path, ...flags]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return (JSON.parse(stdout) as { readyMs: number }).readyMs
}
