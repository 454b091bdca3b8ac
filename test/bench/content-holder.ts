import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { addFiles, startContentNode } from '../helpers/content-node.ts'

/** The other process of the content benchmark: adds a file of random bytes and serves it until its parent hangs up. */
const bytes = randomBytes(Number(process.argv[2]))
const node = await startContentNode()
const began = performance.now()
const [row] = await addFiles(node, [{ path: 'file', bytes }])
const addMs = performance.now() - began
process.send?.({ cid: row!.cid, addMs, addresses: node.libp2p.getMultiaddrs().map(String) })
process.once('disconnect', () => {
  void node.stop()
})
