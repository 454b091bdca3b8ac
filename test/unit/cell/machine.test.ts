import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ClassicLevel } from 'classic-level'
import { CID } from 'multiformats/cid'
import { commandCodec, initialState, load, members, size, type Command } from '../../../consensus/state/index.ts'
import { noteDivergence } from '../../../node/cell/halt.ts'
import { CellMachine } from '../../../node/cell/machine.ts'
import { openCellStores, type CellStores } from '../../../node/cell/open.ts'
import { rootOf } from '../../../node/cell/record.ts'
import type { CodedError } from '../../../protocols/shared/errors.ts'

const PEER = '12D3KooWCfN1S8qqD4Mt99xvAGRRAsriBmGP8wBpRG5fiZWgSfTR'
const owner = { meshId: 'bafyreihns6i73nb5oaykbbxdmsjl4a27b6egarha7i6ldctq3rguk7uzdu', peerId: PEER, cell: 'alpha' }

function entry(index: number, request: object) {
  const session = { client: 'c', opened: 0, sequence: index }
  const command = { v: 1, id: `c.${index}`, session, time: index, ...request } as Command
  return { index, term: 1, kind: 'normal' as const, data: commandCodec.encode(command), context: new Uint8Array() }
}

const join1 = { type: 'member-join', peerId: PEER, incarnation: new Uint8Array(16) }
const label = (value: string, key = 'region') => ({ type: 'label-set', peerId: PEER, key, value })

const SILENT = { onChanges: () => undefined, onReplaced: () => undefined }

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
  const cell = () => join(directory, 'cell')

  const machine = () => CellMachine.open({ ...SILENT, state: stores.state, blocks: stores.blocks })

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
    expect(told, 'no key of it, which may be a million').to.deep.equal(['replaced'])
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

  describe('a state that differs from its cell’s', () => {
    const AT = 4096
    const noops = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, { type: 'noop' }))
    const wrong = entry(AT + 5, { type: 'checkpoint', index: AT, root: CID.parse(owner.meshId).bytes })
    let stopped: CodedError
    beforeEach(async () => {
      const first = await CellMachine.open({
        ...SILENT,
        state: stores.state,
        blocks: stores.blocks,
        onDiverged: (message) => noteDivergence(cell(), message),
      })
      await first.apply([entry(1, join1), ...noops(2, AT)], new Map())
      const last = [...noops(AT + 1, AT + 4), wrong, ...noops(AT + 6, AT + 9)]
      stopped = await first.apply(last, new Map()).then(
        () => expect.fail('it went on'),
        (error: CodedError) => error,
      )
      await stores.close()
    })
    // For the last step of the tests around.
    afterEach(async () => {
      await rm(join(cell(), 'diverged'), { force: true })
      await open()
    })

    it('stops the node, with both roots and the way to rejoin', () => {
      expect(stopped.code).to.equal('E_STATE_DIVERGED')
      expect(stopped.message).to.match(/entry 4101 .* index 4096 .* is bafy\w+, and the leader's bafy\w+$/)
      expect(stopped.hint).to.contain('joins its cell under a new id')
    })

    it('is not served again after a restart, until the store is replaced', async () => {
      const error = await open().then(
        () => expect.fail('it was opened'),
        (cause: CodedError) => cause,
      )
      expect([error.code, error.message, error.hint]).to.deep.equal(['E_STATE_DIVERGED', stopped.message, stopped.hint])
      await rename(cell(), join(directory, 'kept'))
      await open()
      expect((await machine()).applied).to.equal(0)
      await stores.close()
    })

    it('once the note is lifted, for the leader was wrong, goes on past the checkpoint', async () => {
      await rm(join(cell(), 'diverged'))
      await open()
      const second = await machine()
      expect(second.applied).to.equal(AT + 4)
      await second.apply([wrong], new Map())
      expect(second.applied).to.equal(AT + 5)
      await second.close()
      await stores.close()
    })
  })

  it('damage on its disk puts it aside at the start, and an empty one is begun: the log has it all', async () => {
    const first = await machine()
    const many = Array.from({ length: 2000 }, (_, at) => entry(at + 2, label(`value-${at}`, `key-${at % 60}`)))
    await first.apply([entry(1, join1), ...many], new Map())
    await first.close()
    await stores.close()
    const raw = new ClassicLevel(join(cell(), 'state'))
    await raw.compactRange('!', '~')
    await raw.close()
    const tables = (await readdir(join(cell(), 'state'))).filter((file) => file.endsWith('.ldb'))
    expect(tables).to.not.deep.equal([])
    for (const file of tables) {
      const path = join(cell(), 'state', file)
      const bytes = await readFile(path)
      bytes[Math.floor(bytes.length / 2)]! ^= 1
      await writeFile(path, bytes)
    }
    await open()
    expect(stores.renewed.map(({ code }) => code)).to.deep.equal(['E_CELL_STATE_CORRUPT'])
    expect((await machine()).applied).to.equal(0)
    expect(await readdir(cell())).to.include('state.damaged')
  })

  it('stops at a command of a later release instead of skipping it', async () => {
    const first = await machine()
    const later = { ...entry(1, join1), data: new Uint8Array([0xa1, 0x61, 0x76, 0x03]) }
    const error = await first.apply([later], new Map()).then(
      () => undefined,
      (cause: { code?: string }) => cause.code,
    )
    expect(error).to.equal('E_COMMAND_VERSION')
    expect(first.applied).to.equal(0)
  })
})
