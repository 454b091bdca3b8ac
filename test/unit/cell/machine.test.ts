import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import {
  commandCodec,
  entries,
  initialState,
  load,
  members,
  size,
  type Command,
} from '../../../consensus/state/index.ts'
import { CellMachine, type Changes } from '../../../node/cell/machine.ts'
import { openCellStores, type CellStores } from '../../../node/cell/open.ts'
import { rootOf } from '../../../node/cell/record.ts'

const PEER = '12D3KooWCfN1S8qqD4Mt99xvAGRRAsriBmGP8wBpRG5fiZWgSfTR'
const owner = { meshId: 'bafyreihns6i73nb5oaykbbxdmsjl4a27b6egarha7i6ldctq3rguk7uzdu', peerId: PEER, cell: 'alpha' }

function entry(index: number, request: object) {
  const session = { client: 'c', opened: 0, sequence: index }
  const command = { v: 1, id: `c.${index}`, session, time: index, ...request } as Command
  return { index, term: 1, kind: 'normal' as const, data: commandCodec.encode(command), context: new Uint8Array() }
}

const join1 = { type: 'member-join', peerId: PEER, incarnation: new Uint8Array(16) }
const label = (value: string, key = 'region') => ({ type: 'label-set', peerId: PEER, key, value })

describe('cell: the state machine on its disk', () => {
  let directory: string
  let stores: CellStores
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kairos-machine-'))
    await open()
  })
  afterEach(async () => {
    await stores.close()
    await rm(directory, { recursive: true })
  })

  async function open(): Promise<void> {
    const onFatal = (error: unknown) => expect.fail(String(error))
    stores = await openCellStores({ directory: join(directory, 'cell'), ...owner, onFatal })
  }

  const machine = () => CellMachine.open({ state: stores.state, blocks: stores.blocks, onChanges: () => undefined })

  it('begins as every cell does', async () => {
    expect(rootOf((await machine()).tree)).to.equal(rootOf(initialState().tree))
  })

  it('is the same after a restart, root and all', async () => {
    const first = await machine()
    await first.apply([entry(1, join1), entry(2, label('north'))], new Map())
    await first.apply([entry(3, label('south'))], new Map())
    const root = rootOf(first.tree)
    await first.close()
    await stores.close()
    await open()
    const second = await machine()
    expect([second.applied, rootOf(second.tree)]).to.deep.equal([3, root])
    expect([...members(second.tree)].map(({ peerId }) => peerId)).to.deep.equal([PEER])
    await second.apply([entry(4, label('east'))], new Map())
    expect(second.applied).to.equal(4)
  })

  it('a snapshot of it becomes the state of another, and is kept over a restart', async () => {
    const told: string[] = []
    const first = await CellMachine.open({
      state: stores.state,
      blocks: stores.blocks,
      onChanges: (changes) => told.push(...changes.keys()),
      onReplaced: () => told.push('replaced'),
    })
    await first.apply([entry(1, join1), entry(2, label('north'))], new Map())
    const { index, root } = await first.snapshot()
    const at = rootOf(first.tree)
    await first.apply([entry(3, label('south'))], new Map())
    told.splice(0)
    await first.install({ index, term: 1, root, configuration: first.configuration })
    expect([first.applied, rootOf(first.tree)]).to.deep.equal([2, at])
    expect(told).to.include(`member/${PEER}`)
    expect(told.indexOf('replaced'), 'after all that is there').to.equal(told.length - 1)
    await stores.close()
    await open()
    expect(rootOf((await machine()).tree)).to.equal(at)
  })

  it('a snapshot brings only the blocks that the last one has not, after a restart too', async () => {
    const first = await machine()
    const many = Array.from({ length: 400 }, (_, at) => entry(at + 2, label(`value-${at}`, `key-${at}`)))
    await first.apply([entry(1, join1), ...many], new Map())
    await first.snapshot()
    await stores.close()
    await open()
    const put = stores.blocks.put.bind(stores.blocks)
    let brought = 0
    stores.blocks.put = (blocks) => {
      brought += blocks.length
      return put(blocks)
    }
    const second = await machine()
    await second.apply([entry(402, label('new', 'key-7'))], new Map())
    const { root } = await second.snapshot()
    expect(brought).to.be.within(1, 16)
    const here = await load(CID.decode(root), async (cid) => (await stores.blocks.get(cid))!)
    expect(size(here)).to.equal(size(second.tree))
  })

  it('tells of all that an installed snapshot has', async () => {
    const first = await machine()
    await first.apply([entry(1, join1), entry(2, label('north'))], new Map())
    const { index, root } = await first.snapshot()
    const told = new Set<string>()
    const onChanges = (changes: Changes) => [...changes.keys()].forEach((key) => told.add(key))
    const second = await CellMachine.open({ state: stores.state, blocks: stores.blocks, onChanges })
    await second.install({ index, term: 1, root, configuration: first.configuration })
    expect([...told]).to.deep.equal([...entries(first.tree)].map(([key]) => key))
  })

  it('stops at a command of a later release instead of skipping it', async () => {
    const first = await machine()
    const later = { ...entry(1, join1), data: new Uint8Array([0xa1, 0x61, 0x76, 0x02]) }
    const error = await first.apply([later], new Map()).then(
      () => undefined,
      (cause: { code?: string }) => cause.code,
    )
    expect(error).to.equal('E_COMMAND_VERSION')
    expect(first.applied).to.equal(0)
  })
})
