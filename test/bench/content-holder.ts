import { randomBytes } from 'node:crypto'
import { addFiles, type TestFile } from '../helpers/content-node.ts'
import { addToHelia, startPlainHelia } from './content-helia.ts'
import { startDurableNode } from './content-node.ts'

/**
 * The other process of the content benchmark: adds a file of random bytes and a directory of many small ones, to a node
 * of ours or to a plain Helia, and serves them until its parent hangs up.
 */
const [kind = 'kairos', ...sizes] = process.argv.slice(2)
const [fileBytes = 0, smallFiles = 0, smallBytes = 0] = sizes.map(Number)
const file: TestFile[] = [{ path: 'file', bytes: randomBytes(fileBytes) }]
const small = Array.from({ length: smallFiles }, (_, i) => ({ path: `d/${i}`, bytes: randomBytes(smallBytes) }))
const holder = kind === 'helia' ? await startHelia() : await startKairos()
const roots = { file: await holder.add(file), directory: await holder.add(small) }
process.send?.({ ...roots, addresses: holder.addresses })
process.once('disconnect', () => {
  void holder.stop()
})

async function startHelia() {
  const node = await startPlainHelia()
  const addresses = node.libp2p.getMultiaddrs().map(String)
  return { addresses, add: (files: TestFile[]) => addToHelia(node, files), stop: () => node.stop() }
}

async function startKairos() {
  const node = await startDurableNode()
  const addresses = node.libp2p.getMultiaddrs().map(String)
  return { addresses, add: async (files: TestFile[]) => (await addFiles(node, files)).at(-1)!.cid, stop: node.stop }
}
