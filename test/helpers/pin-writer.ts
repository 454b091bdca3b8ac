import { collect } from './collect.ts'
import { pinDags, ROOTS } from './pin-dags.ts'
import { openPinDisk } from './pin-disk.ts'
import { Mesh, NEVER, rawBlock } from './pin-fixtures.ts'

/**
 * Pins, unpins, adds and sweeps on the directory that it is given, at random, until it is killed. Each line on stdout is
 * a JSON array: a root with what is begun, and again with what was acknowledged.
 */
const LANES = 4

const dags = pinDags()
const { pins, store } = await openPinDisk(process.argv[2]!)
const get = new Mesh().add(...dags.flat()).over(store)

const say = (...words: (string | number)[]): void => void process.stdout.write(`${JSON.stringify(words)}\n`)
const oneOf = <T>(many: readonly T[]): T => many[Math.floor(Math.random() * many.length)]!

async function change(index: number): Promise<void> {
  const root = dags[index]![0]!.cid
  const wanted = oneOf(['recursive', 'recursive', 'direct', 'none'] as const)
  say('begins', index)
  if (wanted === 'none') await pins.unpin(root)
  else await pins.pin(root, { mode: wanted, get, signal: NEVER })
  say('is', index, wanted)
}

/** Each root has one lane, so that the order of its lines is that of its changes. */
async function lane(first: number): Promise<never> {
  const own = Array.from({ length: ROOTS / LANES }, (_, index) => first + index * LANES)
  for (;;) await change(oneOf(own))
}

async function sweeps(): Promise<never> {
  for (;;) {
    const garbage = Array.from({ length: 20 }, () => rawBlock(String(Math.random())))
    for (const { cid, bytes } of garbage) await store.put(cid, bytes)
    await collect(pins.gc(NEVER))
    say('swept')
  }
}

say('ready')
await Promise.all([...Array.from({ length: LANES }, (_, index) => lane(index)), sweeps()])
