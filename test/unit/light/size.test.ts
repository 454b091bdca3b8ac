import { assert } from 'chai'
import { bundleLight, type Bundle } from '../../helpers/light-bundle.ts'

describe('the light verifier as a page loads it', () => {
  let bundle: Bundle

  before(async () => {
    bundle = await bundleLight()
  })

  it('is one module of at most 60 kB', () => {
    assert.isAtMost(bundle.code.length, 60_000)
  })

  it('is made of the record, the curve and the hash: no Node, no schemas, no wasm', () => {
    const foreign = bundle.sources.filter(
      (path) =>
        !/^(consensus\/(light|epoch)|protocols\/shared\/errors\.ts|node_modules\/@noble\/(curves|hashes))/.test(path),
    )
    assert.deepEqual(foreign, [])
  })
})
