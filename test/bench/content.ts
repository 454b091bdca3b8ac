import { fork } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { multiaddr } from '@multiformats/multiaddr'
import { startContentNode } from '../helpers/content-node.ts'
import type { Figure } from './figure.ts'

const MIB = 2 ** 20
const FILE_BYTES = 64 * MIB
const SMALL_FILES = 2000
const SMALL_BYTES = 4096
const ROUNDS = 3

interface Round {
  addMs: number
  fileMs: number
  smallMs: number
}

/** Best of a few rounds: adding a file of 64 MiB, and fetching it and many small blocks into another process over loopback. */
export async function benchContent(): Promise<Figure[]> {
  const rounds: Round[] = []
  for (let i = 0; i < ROUNDS; i++) rounds.push(await measure())
  const best = (what: keyof Round): number => Math.min(...rounds.map((round) => round[what])) / 1000
  const mib = FILE_BYTES / MIB
  return [
    { name: 'content: add 64 MiB', value: Math.round(mib / best('addMs')), unit: 'MiB/s' },
    {
      name: 'content: 64 MiB between two processes',
      value: Math.round(mib / best('fileMs')),
      unit: 'MiB/s',
      target: '≥ 100',
    },
    {
      name: 'content: 2 000 blocks of 4 KiB between two processes',
      value: Math.round(SMALL_FILES / best('smallMs')),
      unit: 'blocks/s',
      target: '≥ 2 000',
    },
  ]
}

async function measure(): Promise<Round> {
  const sizes = [FILE_BYTES, SMALL_FILES, SMALL_BYTES].map(String)
  const holder = fork(fileURLToPath(new URL('./content-holder.ts', import.meta.url)), sizes)
  const reader = await startContentNode()
  const { signal } = new AbortController()
  try {
    const [ready] = (await once(holder, 'message')) as [
      { file: string; directory: string; addMs: number; addresses: string[] },
    ]
    await reader.libp2p.dial(ready.addresses.map((address) => multiaddr(address)))
    const fileMs = await timed(reader.content.cat(ready.file, {}, signal), FILE_BYTES)
    const smallMs = await timed(reader.content.car(ready.directory, signal), SMALL_FILES * SMALL_BYTES)
    return { addMs: ready.addMs, fileMs, smallMs }
  } finally {
    holder.disconnect()
    await Promise.all([once(holder, 'exit'), reader.stop()])
  }
}

async function timed(source: AsyncIterable<Uint8Array>, atLeast: number): Promise<number> {
  const began = performance.now()
  let bytes = 0
  for await (const part of source) bytes += part.byteLength
  if (bytes < atLeast) throw new Error(`read ${bytes} of ${atLeast} bytes`)
  return performance.now() - began
}
