#!/usr/bin/env node
// Plain JavaScript that an old Node can read: it may be started by any Node from 18 on and goes on
// with the one that came along as the npm package `node`.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST = [22, 19]
const EXIT_ERROR = 1

if (isNewEnough(process.versions.node)) {
  const cache = compileCache()
  if (cache) module.enableCompileCache?.(cache)
  const source = new URL('./cli/main.ts', import.meta.url)
  // Without the source this is the published package, which brings its own build.
  const entry = existsSync(source) ? source : new URL('../dist/node/cli/main.js', import.meta.url)
  await import(entry.href)
} else {
  const bundled = bundledNode()
  if (bundled === undefined) refuse()
  else runUnder(bundled)
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}

/** The user's own: in the shared temporary directory, Node's default, others could place code for us. */
function compileCache() {
  const { NODE_COMPILE_CACHE, XDG_CACHE_HOME, LOCALAPPDATA, HOME } = process.env
  if (NODE_COMPILE_CACHE) return NODE_COMPILE_CACHE
  const caches = XDG_CACHE_HOME || LOCALAPPDATA || (HOME && join(HOME, '.cache'))
  return caches ? join(caches, 'kairos', 'compile') : undefined
}

function bundledNode() {
  try {
    const home = dirname(createRequire(import.meta.url).resolve('node/package.json'))
    return ['node', 'node.exe'].map((name) => join(home, 'bin', name)).find((path) => existsSync(path))
  } catch {
    return undefined
  }
}

function runUnder(bundled) {
  const args = ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const child = spawn(bundled, args, { stdio: 'inherit' })
  // A terminal signals both processes; `kairos run` takes two signals at once for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'])
    process.on(signal, () => child.kill(signal))
  child.on('error', refuse)
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

function refuse() {
  process.stderr.write(
    `kairos needs Node ${OLDEST.join('.')} or newer; this is ${process.version}, and the one that the npm package "node" brings is not there.\n` +
      'Run `npm install` (with install scripts allowed for "node"), or start kairos with a newer Node.\n',
  )
  process.exit(EXIT_ERROR)
}
