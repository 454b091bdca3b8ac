import { expect } from 'chai'
import { isUrgent } from '../../wasm/raft/urgent.ts'
import { until } from '../helpers/libp2p-pair.ts'
import { RaftMembers } from '../helpers/raft-members.ts'
import { Members } from '../unit/consensus/members.ts'

const COMMANDS = 160
const COMMAND_BYTES = 1 << 16

describe('/kairos/raft/1.0.0: a member that lags', () => {
  const cells = new Members([1, 2, 3], { tickMs: 50, retryMs: 10_000 })
  const wires = new RaftMembers()
  afterEach(async () => {
    await cells.stop()
    await wires.stop()
  })

  const start = (id: number) => cells.start(id, { transport: wires.at(id).transport })

  it('by 10 MiB catches up, and not one message on its way was too large or too many', async () => {
    await wires.start(3)
    for (const [at, { init }] of wires.nodes.entries()) {
      init.isUrgent = isUrgent
      init.deliver = (message) => cells.cells.get(at + 1)?.receive([message])
    }
    await Promise.all([start(1), start(2)])
    await until(() => cells.leader() !== undefined)
    const leader = cells.leader()!
    const pad = 'x'.repeat(COMMAND_BYTES)
    const commands = Array.from({ length: COMMANDS }, (_, n) => `c${n}:${pad}`)
    await Promise.all(commands.map((command, n) => leader.propose(`c${n}`, new TextEncoder().encode(command), 20_000)))
    for (const { events } of wires.nodes) events.length = 0
    await start(3)
    await until(() => cells.machines.get(3)?.values.length === COMMANDS)
    expect(cells.machines.get(3)?.values).to.have.members(commands)
    expect(wires.nodes.map(({ events }) => events)).to.deep.equal([[], [], []])
  })
})
