import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { stripTypeScriptTypes } from 'node:module'
import { extname } from 'node:path'
import { bundleLight } from '../helpers/light-bundle.ts'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
}
const ROOT = new URL('../../', import.meta.url)

export interface Served {
  /** without a slash at its end */
  readonly url: string
  stop(): Promise<void>
}

/** A web server on loopback: an empty page, the built `wasm/`, the light verifier as one module, and these tests' own page code. */
export async function serveBuild(): Promise<Served> {
  const server = createServer(async (request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1)
    const body = await find(path).catch(() => undefined)
    const type = TYPES[extname(path) || '.html'] ?? 'application/octet-stream'
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, stop: () => stop(server) }
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

/** @returns undefined, or rejects, when there is nothing at that path */
async function find(path: string): Promise<Uint8Array | string | undefined> {
  if (path === '/') return '<!doctype html><link rel="icon" href="data:,"><title>kairos</title>'
  if (path === '/light.js') return (await bundleLight()).code
  if (path.startsWith('/wasm/')) return readFile(new URL(`dist${path}`, ROOT))
  if (path === '/page/exercise.js') {
    return stripTypeScriptTypes(await readFile(new URL('page/exercise.ts', import.meta.url), 'utf8'))
  }
  return undefined
}
