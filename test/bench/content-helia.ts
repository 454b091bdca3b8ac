import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withBitswap } from '@helia/bitswap'
import { unixfs } from '@helia/unixfs'
import { FsBlockstore } from 'blockstore-fs'
import { MemoryDatastore } from 'datastore-core'
import type { Helia } from 'helia'
import { startLibp2p, type TestLibp2p } from '../helpers/libp2p-pair.ts'
import type { TestFile } from '../helpers/content-node.ts'

export interface HeliaNode {
  helia: Helia
  libp2p: TestLibp2p
  stop(): Promise<void>
}

/** Helia and its bitswap as they come, on blockstore-fs, which syncs nothing, and on the libp2p of our nodes. */
export async function startPlainHelia(): Promise<HeliaNode> {
  const root = await mkdtemp(join(tmpdir(), 'k-helia-'))
  const libp2p = await startLibp2p()
  const blockstore = new FsBlockstore(join(root, 'blocks'))
  await blockstore.open()
  // Its entry loads gateways and WebRTC, which are not installed.
  const { Helia } = (await import(new URL('./helia.js', import.meta.resolve('helia')).href)) as {
    Helia: new (init: object) => Helia
  }
  const init = { name: 'helia', version: '1', blockstore, datastore: new MemoryDatastore(), routers: [] }
  const bare = Object.assign(new Helia({ ...init, logger: libp2p.logger }), { libp2p })
  const helia = withBitswap(bare as unknown as Parameters<typeof withBitswap>[0]) as unknown as Helia
  await helia.start()
  return {
    helia,
    libp2p,
    async stop() {
      await helia.stop()
      await libp2p.stop()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** @returns CID of the last one: of the directory, where there is one */
export async function addToHelia({ helia }: HeliaNode, files: readonly TestFile[]): Promise<string> {
  const candidates = files.map(({ path, bytes }) => ({ path, content: [bytes!] }))
  let root = ''
  for await (const { cid } of unixfs(helia).addAll(candidates, {
    profile: 'unixfs-v1-2025',
    wrapWithDirectory: false,
  }))
    root = cid.toString()
  return root
}
