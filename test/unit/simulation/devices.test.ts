import { expect } from 'chai'
import type { Entry } from '../../../consensus/cell/engine.ts'
import type { LogWrite } from '../../../consensus/cell/ports.ts'
import { Dice } from '../../simulation/dice.ts'
import { Disk, DiskFailure, emptyImage } from '../../simulation/disk.ts'
import { Network } from '../../simulation/network.ts'
import { VirtualTime } from '../../simulation/time.ts'

const NOBODY = { voters: [], learners: [], votersOutgoing: [], learnersNext: [] }
const NO_SNAPSHOT = { index: 0, term: 0, configuration: NOBODY, root: new Uint8Array() }

function entry(index: number, term = 1): Entry {
  return { index, term, kind: 'normal', data: Uint8Array.of(index, term, 7) }
}

function write(entries: Entry[], more: Partial<LogWrite> = {}): LogWrite {
  return { entries, hardState: undefined, snapshot: undefined, ...more }
}

function diskAt(seed: number) {
  const time = new VirtualTime()
  const seen = { failed: 0, backwards: 0 }
  const disk = new Disk(emptyImage(1, NO_SNAPSHOT), {
    after: (ms, run) => time.after(ms, run),
    dice: new Dice(seed),
    flushMs: () => 10,
    failed: () => seen.failed++,
    backwards: () => seen.backwards++,
  })
  return { time, disk, seen }
}

const indexes = (disk: Disk) => disk.image.entries.map(({ entry }) => `${entry.index}/${entry.term}`)

describe('virtual time', () => {
  it('runs events in order of time, equal times in the order they were asked for', () => {
    const time = new VirtualTime()
    const ran: string[] = []
    for (const [ms, name] of [
      [5, 'c'],
      [1, 'a'],
      [5, 'd'],
      [3, 'b'],
    ] as const)
      time.after(ms, () => ran.push(name))
    time.after(4, () => ran.push('never'))()
    while (time.step(100)) expect(time.now).to.be.at.most(5)
    expect(ran).to.deep.equal(['a', 'b', 'c', 'd'])
    expect(time.now).to.equal(100)
  })

  it('runs ten thousand random events in order', () => {
    const [time, dice] = [new VirtualTime(), new Dice(1)]
    const ran: number[] = []
    for (let i = 0; i < 10_000; i++) time.after(dice.whole(0, 999), () => ran.push(time.now))
    while (time.step(1e6)) continue
    expect(ran).to.have.length(10_000)
    expect(ran).to.deep.equal([...ran].sort((a, b) => a - b))
  })
})

describe('the virtual network', () => {
  const calm = { loss: 0, duplication: 0, delayMs: 50 }

  function delivered(profile: typeof calm, prepare: (network: Network, time: VirtualTime) => void): number[] {
    const time = new VirtualTime()
    const network = new Network(time, new Dice(3), profile)
    const at: number[] = []
    prepare(network, time)
    for (let i = 0; i < 1000; i++) network.send(1, 2, () => at.push(time.now))
    while (time.step(60_000)) continue
    return at
  }

  it('delivers all once around its mean when it is calm', () => {
    const at = delivered(calm, () => undefined)
    expect(at).to.have.length(1000)
    expect(at.reduce((a, b) => a + b) / 1000).to.be.within(40, 60)
  })

  it('loses and doubles as often as it is told to', () => {
    expect(delivered({ ...calm, loss: 0.3 }, () => undefined).length).to.be.within(620, 780)
    expect(delivered({ ...calm, duplication: 0.5 }, () => undefined).length).to.be.within(1420, 1580)
  })

  it('cuts one direction only, until it is mended', () => {
    expect(delivered(calm, (network) => network.cut(1, 2))).to.have.length(0)
    expect(delivered(calm, (network) => network.cut(2, 1))).to.have.length(1000)
    expect(delivered(calm, (network) => (network.cut(1, 2), network.mend()))).to.have.length(1000)
  })

  it('holds back what a clogged link carries', () => {
    const at = delivered(calm, (network) => network.clog(1, 2, 5000))
    expect(at).to.have.length(1000)
    expect(Math.min(...at)).to.be.at.least(5000)
  })
})

describe('the virtual disk', () => {
  it('has a write only when its flush is over', async () => {
    const { time, disk } = diskAt(1)
    const done = disk.open().append(write([entry(1), entry(2)]))
    expect(indexes(disk)).to.deep.equal([])
    while (time.step(100)) continue
    await done
    expect(indexes(disk)).to.deep.equal(['1/1', '2/1'])
    expect([disk.holds(2, 1), disk.holds(2, 2), disk.holds(3, 1), disk.last]).to.deep.equal([true, false, false, 2])
  })

  it('keeps of what was not flushed a prefix, and any prefix at times', () => {
    const kept = new Set<number>()
    for (let seed = 0; seed < 60; seed++) {
      const { disk } = diskAt(seed)
      for (const index of [1, 2, 3]) void disk.open().append(write([entry(index)]))
      disk.crash(false)
      expect(indexes(disk)).to.deep.equal(['1/1', '2/1', '3/1'].slice(0, disk.image.entries.length))
      kept.add(disk.image.entries.length)
    }
    expect([...kept].sort()).to.deep.equal([0, 1, 2, 3])
  })

  it('tears a batch without giving it out as whole', async () => {
    let torn = 0
    for (let seed = 0; seed < 20; seed++) {
      const { disk } = diskAt(seed)
      void disk.open().append(write([entry(1), entry(2)]))
      disk.crash(true)
      if (disk.image.torn === undefined) continue
      torn++
      expect(disk.image.torn.entries[1]!.data).to.have.length(2)
      expect((await disk.open().read()).entries).to.deep.equal([])
    }
    expect(torn).to.be.within(1, 19)
  })

  it('tells each flipped bit when it is read', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { time, disk } = diskAt(seed)
      void disk.open().append(write([entry(1), entry(2)]))
      while (time.step(100)) continue
      expect(disk.flipBit()).to.equal(true)
      const thrown = await disk
        .open()
        .read()
        .catch((error: unknown) => error)
      expect(thrown).to.be.instanceOf(DiskFailure)
    }
  })

  it('refuses a flush that fails, and says so', async () => {
    const { time, disk, seen } = diskAt(1)
    disk.failing = true
    const thrown = disk
      .open()
      .append(write([entry(1)]))
      .catch((error: unknown) => error)
    while (time.step(100)) continue
    expect(await thrown).to.be.instanceOf(DiskFailure)
    expect([seen.failed, disk.last]).to.deep.equal([1, 0])
  })

  it('replaces a suffix, and keeps behind a snapshot what follows on it', () => {
    const { time, disk } = diskAt(1)
    const flush = (one: LogWrite) => {
      void disk.open().append(one)
      while (time.step(time.now + 100)) continue
    }
    flush(write([entry(1), entry(2), entry(3)]))
    flush(write([entry(2, 2), entry(3, 2), entry(4, 2)]))
    expect(indexes(disk)).to.deep.equal(['1/1', '2/2', '3/2', '4/2'])
    flush(write([], { snapshot: { ...NO_SNAPSHOT, index: 2, term: 2 } }))
    expect(indexes(disk)).to.deep.equal(['3/2', '4/2'])
    flush(write([entry(9, 3)], { snapshot: { ...NO_SNAPSHOT, index: 8, term: 3 } }))
    expect(indexes(disk)).to.deep.equal(['9/3'])
  })

  it('tells a snapshot that is older than the last', () => {
    const { time, disk, seen } = diskAt(1)
    for (const index of [8, 7]) {
      void disk.open().append(write([], { snapshot: { ...NO_SNAPSHOT, index, term: 1 } }))
      while (time.step(time.now + 100)) continue
    }
    expect(seen.backwards).to.equal(1)
  })
})
