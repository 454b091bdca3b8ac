import { until } from '../helpers/libp2p-pair.ts'
import { numbered, RaftMembers } from '../helpers/raft-members.ts'
import type { Figure } from './figure.ts'

const COUNT = 50_000
const AT_ONCE = 1000

/** The engine's messages between two nodes of this process, over loopback TCP and Noise. */
export async function raftMessages(): Promise<Figure> {
  const members = new RaftMembers()
  await members.start(2)
  const [from, to] = [members.at(1), members.at(2)]
  const began = performance.now()
  for (let sent = 0; sent < COUNT; sent += AT_ONCE) {
    for (let i = 0; i < AT_ONCE; i++) from.transport.send(2, numbered(sent + i), undefined)
    while (to.received.length < sent) await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => to.received.length === COUNT)
  const seconds = (performance.now() - began) / 1000
  await members.stop()
  return {
    name: 'messages of the cell of 200 B, both nodes in one process',
    value: Math.round(COUNT / seconds),
    unit: '1/s',
  }
}
