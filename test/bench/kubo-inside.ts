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
await answer<KuboTimes[] | PinRates[]>(() => MEASURES[what as keyof typeof MEASURES](sizes.map(Number)))

/** Seconds: to add a file; those that the second node needs to pin a file and a directory that the first has. */
export interface KuboTimes {
  add: number
  file: number
  small: number
}

/** @returns those of each round, of new content */
async function twoKubos([rounds = 0, addedBytes = 0, fileBytes = 0, smallFiles = 0, smallBytes = 0]: number[]) {
  const [one, two] = [await Kubo.start(join(root, 'one')), await Kubo.start(join(root, 'two'))]
  await two.connect(one)
  const times: KuboTimes[] = []
  for (let round = 0; round < rounds; round++) {
    const directory = join(root, `round${round}`)
    await writeSmall(directory, smallFiles, smallBytes)
    await writeFile(join(root, 'added'), randomBytes(addedBytes))
    await writeFile(join(root, 'file'), randomBytes(fileBytes))
    const add = await seconds(() => one.add(join(root, 'added')))
    const roots = [await one.add(join(root, 'file')), await one.add(directory)]
    const [file, small] = [await seconds(() => two.pin(roots[0]!)), await seconds(() => two.pin(roots[1]!))]
    times.push({ add, file, small })
  }
  return times
}

/** @returns of each round what it reached */
async function threeClusters([rounds = 0, pins = 0, bytes = 0, clients = 0]: number[]): Promise<PinRates[]> {
  const clusters = await ThreeClusters.start(root)
  const [first] = clusters.kubos
  const [warm, ...cids] = await first!.addEach(await writeSmall(join(root, 'blocks'), 1 + rounds * pins, bytes))
  await clusters.ready(warm!)
  const rates: PinRates[] = []
  for (let round = 0; round < rounds; round++) {
    const some = cids.slice(round * pins, (round + 1) * pins)
    const before = await clusters.held()
    const held = async () => (await clusters.held()) - before
    rates.push(await pinRates(pins, () => byClients(clients, some, (cid) => clusters.pin(cid)), held))
  }
  return rates
}

/** @returns the paths of files of random bytes */
async function writeSmall(directory: string, count: number, bytes: number): Promise<string[]> {
  await mkdir(directory)
  const paths = Array.from({ length: count }, (_, n) => join(directory, String(n)))
  for (const path of paths) await writeFile(path, randomBytes(bytes))
  return paths
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}
