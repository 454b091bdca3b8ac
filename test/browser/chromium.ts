import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type BrowserContext } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** @returns path of the system's Chromium: `CHROMIUM` of the environment, or the first on the PATH; undefined if none */
export function findChromium({ CHROMIUM, PATH = '' } = process.env): string | undefined {
  const onPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
  return (CHROMIUM === undefined ? onPath : [CHROMIUM]).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A headless browser with a fresh profile in a temporary folder, which goes with it. */
export function startChromium(executablePath: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext('', {
    executablePath,
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      // It looks for updates all the same: whatever it asks for outside loopback goes to a port where nobody listens.
      '--proxy-server=http://127.0.0.1:9',
      '--disable-gpu',
      '--disable-quic',
      '--disable-sync',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
    ],
  })
}

if (import.meta.main && findChromium() === undefined) {
  const { CHROMIUM } = process.env
  const where = CHROMIUM === undefined ? `no Chromium on the PATH` : `CHROMIUM=${CHROMIUM} cannot be run`
  process.stderr.write(`${where}, so nothing was tested in a browser; get one by: apt install chromium\n`)
  process.exitCode = 1
}
