import { fork } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { multiaddr } from '@multiformats/multiaddr'
import { startContentNode } from '../helpers/content-node.ts'
import type { Figure } from './figure.ts'

const MIB = 2 ** 20
const FILE_BYTES = 64 * MIB
const ROUNDS = 3

/** Best of a few rounds: adding a file of 64 MiB, and reading it by another process over loopback. */
export async function benchContent(): Promise<Figure[]> {
  let added = 0
  let moved = 0
  for (let round = 0; round < ROUNDS; round++) {
    const { addMs, moveMs } = await measure()
    added = Math.max(added, ((FILE_BYTES / MIB) * 1000) / addMs)
    moved = Math.max(moved, ((FILE_BYTES / MIB) * 1000) / moveMs)
  }
  return [
    { name: 'content: add 64 MiB', value: Math.round(added), unit: 'MiB/s' },
    { name: 'content: 64 MiB between two processes', value: Math.round(moved), unit: 'MiB/s', target: '≥ 100' },
  ]
}

async function measure(): Promise<{ addMs: number; moveMs: number }> {
  const holder = fork(fileURLToPath(new URL('./content-holder.ts', import.meta.url)), [String(FILE_BYTES)])
  const reader = await startContentNode()
  try {
    const [ready] = (await once(holder, 'message')) as [{ cid: string; addMs: number; addresses: string[] }]
    await reader.libp2p.dial(ready.addresses.map((address) => multiaddr(address)))
    const began = performance.now()
    let bytes = 0
    for await (const part of reader.content.cat(ready.cid, {}, new AbortController().signal)) bytes += part.byteLength
    const moveMs = performance.now() - began
    if (bytes !== FILE_BYTES) throw new Error(`read ${bytes} of ${FILE_BYTES} bytes`)
    return { addMs: ready.addMs, moveMs }
  } finally {
    holder.disconnect()
    await Promise.all([once(holder, 'exit'), reader.stop()])
  }
}
