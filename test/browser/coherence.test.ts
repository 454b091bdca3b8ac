import { assert } from 'chai'
import type { BrowserContext, Page } from 'playwright-core'
import { loadCoherence, type EngineName, type LoadOptions } from '../../wasm/index.ts'
import { findChromium, startChromium } from './chromium.ts'
import { exercise, type Results } from './page/exercise.ts'
import { serveBuild, type Served } from './server.ts'

/** Of the greatest value, or of 1; the floats' bound is the leaky bank's. */
const WITHIN = { doubles: 1e-12, floats: 2e-6 }

describe('coherence kernels in Chromium, from a URL without a bundler', () => {
  let served: Served
  let asked: string[]
  let browser: BrowserContext
  let expected: Results
  let page: Page
  let said: string[]

  before(async () => {
    served = await serveBuild()
    browser = await startChromium(findChromium()!)
    asked = []
    browser.on('request', (request) => asked.push(request.url()))
    expected = exercise(await loadCoherence({ engine: 'typescript' }))
  })

  after(async () => {
    await browser?.close()
    await served?.stop()
  })

  beforeEach(async () => {
    page = await browser.newPage()
    said = []
    page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => said.push(`thrown: ${error.message}`))
    await page.goto(served.url)
  })

  afterEach(() => page.close())

  it('takes the SIMD module when nothing is asked for', async () => {
    assert.equal((await inPage(page, {})).engine, 'simd')
    assert.deepEqual(said, [])
  })

  for (const engine of ['simd', 'plain', 'typescript'] as const) {
    it(`gives with ${engine} what Node computes: the same bits where nodes agree, else to the stated bounds`, async () => {
      const { engine: worked, faults, results } = await inPage(page, { engine })
      assert.deepEqual({ worked, faults }, { worked: engine, faults: 0 })
      assert.deepEqual(results.agreement, expected.agreement)
      for (const width of ['doubles', 'floats'] as const) assertClose(results[width], expected[width], WITHIN[width])
      assert.deepEqual(said, [])
    })
  }

  it('works on in TypeScript when a module is not there, and says so once', async () => {
    const { engine, faults, results } = await inPage(page, {}, '/nowhere/')
    assert.deepEqual({ engine, faults }, { engine: 'typescript', faults: 1 })
    assert.deepEqual(results.agreement, expected.agreement)
    const warnings = said.filter((line) => line.startsWith('warning: '))
    assert.lengthOf(warnings, 1)
    assert.match(warnings[0]!, /^warning: kairos: the coherence module \(simd\) could not be loaded, .*answers 404$/)
    // The other line is the browser's own about the missing file.
    assert.lengthOf(said, 2, said.join('\n'))
  })

  it('asks only where it was served from: no request leaves loopback', () => {
    assert.include(asked, `${served.url}/wasm/modules/coherence.simd.wasm`)
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(`${served.url}/`)),
      [],
    )
  })
})

/** Loads the kernels as a page does, and works with them there. */
function inPage(page: Page, options: LoadOptions, modules?: string) {
  return page.evaluate(
    async ({ options, modules, paths }) => {
      const [{ loadCoherence }, { exercise }] = await Promise.all(paths.map((path) => import(path)))
      const where = modules === undefined ? {} : { modules: new URL(modules, paths[0]) }
      const kernels = await loadCoherence({ ...options, ...where })
      const results = exercise(kernels) as Results
      return { engine: kernels.engine as EngineName, faults: kernels.faults as number, results }
    },
    { options, modules, paths: ['/wasm/index.js', '/page/exercise.js'].map((path) => new URL(path, page.url()).href) },
  )
}

function assertClose(got: Record<string, number[]>, expected: Record<string, number[]>, within: number): void {
  assert.hasAllKeys(got, expected)
  for (const [kernel, values] of Object.entries(expected)) {
    assert.lengthOf(got[kernel]!, values.length, kernel)
    const scale = Math.max(1, ...values.map(Math.abs))
    const error = Math.max(...values.map((value, k) => Math.abs(value - got[kernel]![k]!)))
    assert.isAtMost(error, within * scale, kernel)
  }
}
