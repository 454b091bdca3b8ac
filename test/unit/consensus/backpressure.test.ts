import { expect } from 'chai'
import type { Cell } from '../../../consensus/cell/index.ts'
import { until } from '../../helpers/libp2p-pair.ts'
import { MemoryLog, Members } from './members.ts'

/** A log whose disk hangs when it is told to. */
class SlowLog extends MemoryLog {
  hanging: Promise<void> | undefined

  override async append(write: Parameters<MemoryLog['append']>[0]): Promise<void> {
    await this.hanging
    return super.append(write)
  }
}

describe('cell: a disk that is behind', () => {
  let members: Members
  const disk = Promise.withResolvers<void>()
  afterEach(async () => {
    disk.resolve()
    await members.stop()
  })

  it('has those wait who send more, until it has written', async () => {
    members = new Members([1, 2, 3], { maxUnwrittenBytes: 1000, tickMs: 100, retryMs: 10_000 })
    await members.startAll()
    await until(() => members.leader() !== undefined)
    const leader = members.leader()!
    const [id, slow] = [...members.cells].find(([, cell]) => cell !== leader) as [number, Cell]
    const { start } = members.logs.get(id)!
    await slow.stop()
    const log = new SlowLog(start.snapshot)
    log.start = start
    const member = await members.start(id, { log })
    let isHeld = false
    const receive = member.receive.bind(member)
    member.receive = (messages) => {
      const room = receive(messages)
      if (room === undefined) return
      isHeld = true
      return room.then(() => void (isHeld = false))
    }
    let n = 0
    const put = async (): Promise<void> => {
      const command = `c${n++}`
      await leader.propose(command, new TextEncoder().encode(`${command}:${'x'.repeat(200)}`), 10_000)
    }
    await put()
    await until(() => members.machines.get(id)?.values.length === 1)
    log.hanging = disk.promise
    await until(async () => {
      await put()
      return isHeld
    })
    expect(n, 'a little is no reason to wait').to.be.greaterThan(4)
    disk.resolve()
    await until(() => !isHeld)
    await until(() => members.machines.get(id)?.values.length === n)
  })
})
