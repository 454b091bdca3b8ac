import { assert } from 'chai'
import { buildExport, type ExportChain } from '../../../consensus/light/build-export.ts'
import { decodeExport } from '../../../consensus/light/file.ts'
import { verifyExport } from '../../../consensus/light/verify-export.ts'
import { codeOf } from '../../../protocols/shared/errors.ts'
import { verifyBytes } from '../../../protocols/shared/signature.ts'
import { CREATED, LightChain } from '../../helpers/light-chain.ts'

const now = CREATED + 3_600_000

describe('buildExport', () => {
  /** Every fifth epoch one of four validators makes room for another. */
  const chain = new LightChain((height) => [0, 1, 2, 3].map((i) => i + Math.floor(height / 5)), 100)
  const pathOf = async (of: ExportChain, height: number, from?: number): Promise<readonly number[]> => {
    const checkpoint = from === undefined ? undefined : { height: from, cid: chain.epochs[from - 1]!.cid }
    const file = await buildExport(of, height, from)
    return verifyExport(file, { mesh: chain.mesh, checkpoint, now, verify: verifyBytes }).path
  }
  /** A store that has forgotten some epochs. */
  const lacking = (isKept: (height: number) => boolean): ExportChain => ({
    genesis: chain.genesis,
    epoch: async (height) => (isKept(height) ? chain.epoch(height) : undefined),
    set: (cid) => chain.set(cid),
    stateBefore: async () => undefined,
  })

  it('takes the farthest epoch each time that more than a third of the known validators signed', async () => {
    // The genesis set has two of four left until epoch 14, and an epoch that ends a five names the set of the next.
    assert.deepEqual(await pathOf(chain, 14), [0, 14])
    assert.deepEqual(await pathOf(chain, 15), [0, 14, 15])
    assert.deepEqual(await pathOf(chain, 100), [0, 14, 29, 44, 59, 74, 89, 100])
  })

  it('can export every epoch, from the genesis and from every checkpoint', async () => {
    for (let height = 1; height <= 100; height += 7) {
      assert.equal((await pathOf(chain, height)).at(-1), height)
      for (let from = 1; from <= height; from += 9) assert.equal((await pathOf(chain, height, from))[0], from)
    }
  })

  it('carries the state before the epoch where it is kept, and no extensions', async () => {
    const { state, path } = decodeExport(await buildExport(chain, 15))
    assert.deepEqual(state, await chain.stateBefore(15))
    assert.lengthOf(path, 1)
    assert.isNull(
      decodeExport(
        await buildExport(
          lacking(() => true),
          15,
        ),
      ).state,
    )
  })

  it('goes around epochs that are not kept, while others lead there', async () => {
    assert.deepEqual(
      await pathOf(
        lacking((height) => height > 8),
        30,
      ),
      [0, 14, 29, 30],
    )
  })

  it('says that nothing kept here leads to an epoch, or that it is not kept', async () => {
    const recent = lacking((height) => height > 60)
    assert.deepEqual(await pathOf(recent, 100, 61), [61, 74, 89, 100])
    for (const [height, from] of [[100], [60], [101], [100, 60], [80, 90]] as const) {
      const code = await buildExport(recent, height, from).catch(codeOf)
      assert.equal(code, 'E_LIGHT_NOT_KEPT', `${height} from ${from}`)
    }
  })
})
