import { expect } from 'chai'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { CellClients } from '../helpers/cell-clients.ts'
import { cutOff, pause, Wire, type Cut } from '../helpers/cell-faults.ts'
import { freePort, RealCell } from '../helpers/cell.ts'
import { eventually } from '../helpers/processes.ts'

/** Longer than an election takes: somebody else leads when it is over. */
const FAULT_MS = 3_000
const ANSWERS = 40

describe('a cell of three real nodes with eight clients', function () {
  this.timeout(120_000)
  let cell: RealCell
  let clients: CellClients
  const wires = new Map<string, Wire>()

  beforeEach(async () => {
    cell = await RealCell.open()
    for (const name of ['a', 'b', 'c']) {
      const port = await freePort()
      const wire = await Wire.open(port)
      wires.set(name, wire)
      if (name === 'a') await cell.found(name, { port, announce: wire.port })
      else await cell.join(name, 'a', { port, announce: wire.port })
    }
    await cell.voters(3)
    await cell.acquainted()
    clients = new CellClients(cell)
    clients.start(8)
    await clients.serves(ANSWERS)
  })
  afterEach(async () => {
    await clients.stop()
    for (const wire of wires.values()) wire.close()
    await cell.close()
  })

  const isLinearizable = async () => {
    await clients.stop()
    expect(clients.verdict).to.deep.equal({ ok: true })
  }

  it('answers linearizably while its leader is killed, another hangs, and both come back', async () => {
    const killed = await cell.leader()
    await cell.kill(killed)
    await delay(FAULT_MS)
    await cell.run(killed)
    await clients.serves(ANSWERS)
    await pause(cell.pid(await cell.leader()), FAULT_MS)
    await clients.serves(ANSWERS)
    await isLinearizable()
  })

  it('answers linearizably while its leader is cut off, in one direction or both, and when all hang up', async function () {
    if (!existsSync('/proc/net/tcp')) this.skip()
    for (const cut of ['inbound', 'outbound', 'both'] satisfies Cut[]) {
      const leader = await cell.leader()
      cutOff(wires, leader, cell.pid(leader), cut)
      const rest = cell.names.filter((name) => name !== leader)
      await eventually(`another leader, ${cut} being cut`, async () => {
        const seen = await Promise.all(rest.map(async (name) => (await cell.status(name)).leader))
        return seen.every((peerId) => peerId !== null && peerId !== cell.peerId(leader))
      })
      cutOff(wires, leader, cell.pid(leader), undefined)
      await clients.serves(ANSWERS)
    }
    for (const wire of wires.values()) wire.hangUp()
    await clients.serves(ANSWERS)
    await isLinearizable()
  })
})
