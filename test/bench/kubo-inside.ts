import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ThreeClusters } from './kubo-cluster.ts'
import { Kubo } from './kubo.ts'
import { answer } from './loopback-only.ts'
import { byClients, pinRates, type PinRates } from './pins-rate.ts'

/** Where Kubo, or IPFS Cluster beside it, is measured: to be run on loopback only, with the name of one of these. */
const MEASURES = { content: twoKubos, pins: threeClusters }

const [root = '', what = 'content', ...sizes] = process.argv.slice(2)
await answer<KuboTimes | PinRates[]>(() => MEASURES[what as keyof typeof MEASURES](sizes.map(Number)))

/** Seconds: to add a file; those that the second node needs to pin a file and a directory that the first has. */
export interface KuboTimes {
  add: number
  file: number
  small: number
}

async function twoKubos([addedBytes = 0, fileBytes = 0, smallFiles = 0, smallBytes = 0]: number[]): Promise<KuboTimes> {
  const [one, two] = [await Kubo.start(join(root, 'one')), await Kubo.start(join(root, 'two'))]
  await writeFile(join(root, 'added'), randomBytes(addedBytes))
  await writeFile(join(root, 'file'), randomBytes(fileBytes))
  await writeSmall('d', smallFiles, smallBytes)
  const add = await seconds(() => one.add(join(root, 'added')))
  const roots = [await one.add(join(root, 'file')), await one.add(join(root, 'd'))]
  await two.connect(one)
  const [file, small] = [await seconds(() => two.pin(roots[0]!)), await seconds(() => two.pin(roots[1]!))]
  return { add, file, small }
}

/** @returns of each round what it reached */
async function threeClusters([rounds = 0, pins = 0, bytes = 0, clients = 0]: number[]): Promise<PinRates[]> {
  const clusters = await ThreeClusters.start(root)
  const [first] = clusters.kubos
  const [warm, ...cids] = await first!.addEach(await writeSmall('blocks', 1 + rounds * pins, bytes))
  await clusters.ready(warm!)
  const rates: PinRates[] = []
  for (let round = 0; round < rounds; round++) {
    const some = cids.slice(round * pins, (round + 1) * pins)
    const wanted = (await clusters.held()) + pins
    const areHeld = async () => (await clusters.held()) >= wanted
    rates.push(await pinRates(pins, () => byClients(clients, some, (cid) => clusters.pin(cid)), areHeld))
  }
  return rates
}

/** @returns the paths of files of random bytes */
async function writeSmall(directory: string, count: number, bytes: number): Promise<string[]> {
  await mkdir(join(root, directory))
  const paths = Array.from({ length: count }, (_, n) => join(root, directory, String(n)))
  for (const path of paths) await writeFile(path, randomBytes(bytes))
  return paths
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}
