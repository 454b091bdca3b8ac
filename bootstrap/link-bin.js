// `npx kairos` in a checkout: npm links the bins of dependencies, not of the package itself.
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'

const bin = new URL('../node_modules/.bin/', import.meta.url)
if (existsSync(new URL('../node_modules/', import.meta.url))) {
  mkdirSync(bin, { recursive: true })
  rmSync(new URL('kairos', bin), { force: true })
  symlinkSync('../../node/bin.js', new URL('kairos', bin))
}
