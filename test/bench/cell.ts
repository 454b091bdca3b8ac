import { load, type Load, type Write } from './cell-load.ts'
import { ThreeEtcds } from './cell-etcd.ts'
import { ThreeNodes } from './cell-nodes.ts'
import { batchedEntries } from './cell-batched.ts'
import { raftMessages } from './raft-messages.ts'
import { quantile, type Bench, type Figure } from './figure.ts'

const LOAD_MS = 8_000
const WARM_MS = 2_000
const MANY = 64
/** BENCH_KILLS=50 for figures that are to be held against others: some five minutes. */
const KILLS = Number(process.env.BENCH_KILLS ?? 10)

/** The cell over real processes with fsync, and etcd in the same run when it is asked for. */
export const benchCell: Bench = async (peers) => {
  const ours = await ourFigures()
  const etcd = peers.has('etcd') ? ThreeEtcds.version() : undefined
  const theirs = etcd === undefined ? [] : await etcdFigures()
  const remarks = peers.has('etcd') && etcd === undefined ? ['No etcd on the PATH: `apt install etcd-server`.'] : []
  if (etcd !== undefined) {
    remarks.push(`etcd ${etcd} was asked over its HTTP gateway by the same client; its gRPC clients are faster.`)
  }
  const withPeer = ours.map((figure) => heldAgainst(figure, theirs))
  return { figures: [...withPeer, ...theirs, await raftMessages(), await batchedEntries()], remarks }
}

async function ourFigures(): Promise<Figure[]> {
  const nodes = await ThreeNodes.start()
  try {
    const write = await nodes.writer(await nodes.leader())
    const figures = await loads('cell', write)
    return [...figures, ...(await elections(nodes))]
  } finally {
    await nodes.close()
  }
}

async function etcdFigures(): Promise<Figure[]> {
  const etcds = await ThreeEtcds.start()
  try {
    return await loads('etcd', await etcds.leaderWriter())
  } finally {
    await etcds.close()
  }
}

async function loads(who: string, write: Write): Promise<Figure[]> {
  await load(write, MANY, WARM_MS)
  const one = await load(write, 1, LOAD_MS)
  const many = await load(write, MANY, LOAD_MS)
  return [...loadFigures(`${who}, one client`, one), ...loadFigures(`${who}, ${MANY} clients`, many)]
}

function loadFigures(who: string, { perSecond, p50, p99 }: Load): Figure[] {
  return [
    { name: `${who}: writes of 256 B`, value: Math.round(perSecond), unit: 'writes/s' },
    { name: `${who}: latency p50`, value: p50, unit: 'ms' },
    { name: `${who}: latency p99`, value: p99, unit: 'ms' },
  ]
}

function heldAgainst(figure: Figure, theirs: readonly Figure[]): Figure {
  const baseline = figure.name.replace(/^cell/, 'etcd')
  return theirs.some(({ name }) => name === baseline) ? { ...figure, baseline } : figure
}

/** From the kill of the leader to the next acknowledged write, through a node that lives. */
async function elections(nodes: ThreeNodes): Promise<Figure[]> {
  const times: number[] = []
  for (let n = 0; n < KILLS; n++) {
    const leader = await nodes.leader()
    const [other] = nodes.others(leader)
    const write = await nodes.writer(other!)
    await write('k0')
    const began = performance.now()
    await nodes.kill(leader)
    for (;;) {
      const isDone = await write('k0').then(
        () => true,
        () => false,
      )
      if (isDone) break
    }
    times.push(performance.now() - began)
    await nodes.run(leader)
  }
  return [
    {
      name: `leader killed to next acknowledged write, p50 of ${KILLS}`,
      value: quantile(times, 0.5),
      unit: 'ms',
      target: '≤ 1500',
    },
    {
      name: `leader killed to next acknowledged write, worst of ${KILLS}`,
      value: Math.max(...times),
      unit: 'ms',
      target: '≤ 5000',
    },
  ]
}
