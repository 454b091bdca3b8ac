import { readFileSync } from 'node:fs'
import type { VersionDocument } from './operations.ts'

/** Raised with every change that a node of the release before cannot live with. */
export const PROTOCOL_VERSION = 1

/** What runs here. The package file lies one level up in a checkout, two in a build (`dist/node`). */
export function version(): VersionDocument {
  const { version } = JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string }
  return {
    version,
    protocolVersion: PROTOCOL_VERSION,
    node: process.versions.node,
    system: `${process.platform} ${process.arch}`,
  }
}

function packageFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json', import.meta.url)
}
