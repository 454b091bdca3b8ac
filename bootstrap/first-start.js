// After an install, a node starts once in a directory of its own: what is compiled then, every later
// start finds. A start without it takes longer and 25 MB more, for the compiler that takes the types
// away. Best effort: what goes wrong here shows, with its reason, when a person starts a node.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const LONGEST_MS = 20_000
const home = mkdtempSync(join(tmpdir(), 'kairos-'))
const kairos = [fileURLToPath(new URL('../node/bin.js', import.meta.url)), '--path', home]

spawnSync(process.execPath, [...kairos, 'init', '--profile', 'test'], { stdio: 'ignore', timeout: LONGEST_MS })
const node = spawn(process.execPath, [...kairos, 'run'], { stdio: ['ignore', 'ignore', 'pipe'], timeout: LONGEST_MS })
node.stderr.setEncoding('utf8').on('data', (text) => {
  if (text.includes('ready: ')) node.kill()
})
node.on('close', () => rmSync(home, { recursive: true, force: true }))
