import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

/** Resolves what a fresh process loads besides files of ours, as package names. */
async function packagesLoadedBy(module: string): Promise<string[]> {
  const script = `
    import { registerHooks } from 'node:module'
    const seen = new Set()
    registerHooks({ load(url, context, next) { seen.add(url); return next(url, context) } })
    await import(${JSON.stringify(module)})
    await import(new URL('./helia.js', import.meta.resolve('helia')).href)
    console.log([...seen].flatMap((url) => /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? []).join(' '))`
  const cwd = fileURLToPath(new URL('../../..', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd })
  return [...new Set(stdout.trim().split(' '))]
}

describe('the content service', () => {
  it('loads bitswap, but no WebRTC, HTTP gateways, second libp2p, and UnixFS and CAR only when used (memory of an idle node)', async function () {
    this.timeout(20_000)
    const loaded = await packagesLoadedBy(new URL('../../../node/content/index.ts', import.meta.url).href)
    expect(loaded).to.include.members(['helia', '@helia/bitswap'])
    const unwanted = new Set([
      '@helia/libp2p',
      '@helia/unixfs',
      '@ipld/car',
      '@helia/http',
      '@libp2p/webrtc',
      '@helia/delegated-routing-client',
      'libp2p',
    ])
    expect(loaded.filter((name) => unwanted.has(name))).to.deep.equal([])
  })
})
