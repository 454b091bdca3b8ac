import { assert } from 'chai'
import type { BrowserContext, Page } from 'playwright-core'
import { buildExport } from '../../consensus/light/build-export.ts'
import { decodeExport, encodeExport } from '../../consensus/light/file.ts'
import type * as Light from '../../consensus/light/index.ts'
import { encodeCertificate } from '../../consensus/light/wire.ts'
import fixture from '../fixtures/ed25519-strict.json' with { type: 'json' }
import { certify, CREATED, LightChain } from '../helpers/light-chain.ts'
import { findChromium, startChromium } from './chromium.ts'
import { serveBuild, type Served } from './server.ts'

const now = CREATED + 3_600_000

describe('light verification in Chromium, as one module without a bundler', () => {
  const chain = new LightChain((height) => (height < 10 ? [0, 1, 2, 3] : [4, 5, 6, 7]), 20)
  let served: Served
  let browser: BrowserContext
  let page: Page
  let file: Uint8Array

  before(async () => {
    file = await buildExport(chain, 20)
    served = await serveBuild()
    browser = await startChromium(findChromium()!)
    page = await browser.newPage()
    await page.goto(served.url)
  })

  after(async () => {
    await browser?.close()
    await served?.stop()
  })

  /** @returns what the page makes of a file: the heights on the way, or the code */
  function inPage(bytes: Uint8Array, trust: { mesh?: Uint8Array; checkpoint?: { height: number; cid: Uint8Array } }) {
    const { mesh, checkpoint } = trust
    return page.evaluate(
      async ({ from, bytes, mesh, checkpoint, now }) => {
        const { verifyExport } = (await import(from)) as typeof Light
        const raw = (values: number[]) => Uint8Array.from(values)
        try {
          const { trust, path } = verifyExport(raw(bytes), {
            mesh: mesh && raw(mesh),
            checkpoint: checkpoint && { height: checkpoint.height, cid: raw(checkpoint.cid) },
            now,
          })
          return { trust, path: [...path] }
        } catch (error) {
          return (error as { code?: string }).code ?? String(error)
        }
      },
      {
        from: `${served.url}/light.js`,
        bytes: [...bytes],
        mesh: mesh && [...mesh],
        checkpoint: checkpoint && { height: checkpoint.height, cid: [...checkpoint.cid] },
        now,
      },
    )
  }

  it('verifies an exported epoch from the genesis and from a checkpoint, and says which', async () => {
    assert.deepEqual(await inPage(file, { mesh: chain.mesh }), { trust: 'genesis', path: [0, 9, 20] })
    const checkpoint = { height: 9, cid: chain.epochs[8]!.cid }
    assert.deepEqual(await inPage(file, { checkpoint }), { trust: 'checkpoint', path: [9, 20] })
  })

  it('refuses forged ones, each for its reason', async () => {
    const content = decodeExport(file)
    const { certificate } = chain.epochs[19]!
    const withCertificate = (numbers: number[]) =>
      encodeExport({ ...content, certificate: encodeCertificate(certify(chain.mesh, certificate, numbers)) })
    const flipped = file.slice()
    flipped[flipped.length - 1]! ^= 1
    const mesh = chain.mesh
    const results = [
      await inPage(withCertificate([4, 5]), { mesh }),
      await inPage(withCertificate([0, 1, 2, 3]), { mesh }),
      await inPage(encodeExport({ ...content, path: [] }), { mesh }),
      await inPage(flipped, { mesh }),
      await inPage(file.subarray(0, -1), { mesh }),
      await inPage(file, { mesh: chain.epochs[0]!.cid }),
      await inPage(file, { checkpoint: { height: 20, cid: mesh } }),
      await inPage(file, {}),
    ]
    assert.deepEqual(results, [
      'E_LIGHT_CERTIFICATE',
      'E_LIGHT_CERTIFICATE',
      'E_LIGHT_OVERLAP',
      'E_LIGHT_CERTIFICATE',
      'E_LIGHT_FILE',
      'E_LIGHT_MESH',
      'E_LIGHT_CHECKPOINT',
      'E_LIGHT_UNTRUSTED',
    ])
  })

  it('decides each published ed25519 edge case as Node does', async () => {
    const wrong = await page.evaluate(
      async ({ from, vectors }) => {
        const { verifyStrict } = (await import(from)) as typeof Light
        const raw = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16))
        return vectors.filter(
          ({ key, message, signature, valid }) => verifyStrict(raw(key), raw(message), raw(signature)) !== valid,
        )
      },
      { from: `${served.url}/light.js`, vectors: fixture.vectors },
    )
    assert.deepEqual(wrong, [])
  })
})
