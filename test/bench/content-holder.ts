import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { addFiles, startContentNode } from '../helpers/content-node.ts'

/**
 * The other process of the content benchmark: adds a file of random bytes, and a directory of many small ones, and serves
 * them until its parent hangs up.
 */
const [fileBytes = 0, smallFiles = 0, smallBytes = 0] = process.argv.slice(2).map(Number)
const bytes = randomBytes(fileBytes)
const files = Array.from({ length: smallFiles }, (_, i) => ({ path: `d/${i}`, bytes: randomBytes(smallBytes) }))
const node = await startContentNode()
const began = performance.now()
const [file] = await addFiles(node, [{ path: 'file', bytes }])
const addMs = performance.now() - began
const directory = (await addFiles(node, files)).at(-1)
const addresses = node.libp2p.getMultiaddrs().map(String)
process.send?.({ file: file!.cid, directory: directory!.cid, addMs, addresses })
process.once('disconnect', () => {
  void node.stop()
})
