import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { KernelFault } from '../../../wasm/index.ts'
import { loadCoherence } from '../../../wasm/index.ts'
import { builtModule, withModules } from './patched.ts'
import { withArrays } from './engines.ts'

/** The empty module: it compiles and starts, and exports nothing. */
const EMPTY = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)

async function loadFrom(modules: Uint8Array | undefined, engine: 'simd' | 'plain') {
  const faults: KernelFault[] = []
  const onFault = (fault: KernelFault) => faults.push(fault)
  const given = modules === undefined ? {} : { [engine]: modules }
  const kernels = await withModules(given, (folder) => loadCoherence({ engine, modules: folder, onFault }))
  const value = withArrays(kernels, (arrayOf) => kernels.phaseLocking(arrayOf('f64', [1, 2]), arrayOf('f64', [0, 1])))
  const bank = kernels.leakyBank({ streams: 2, maxSteps: 3, omega: 1, step: 0.1, tau: 1 })
  bank.advance(3)
  bank.free()
  return { kernels, faults, value }
}

describe('wasm coherence: loading', () => {
  const built = builtModule('simd')
  const broken: Record<string, Uint8Array | undefined> = {
    'is missing': undefined,
    'is empty': new Uint8Array(),
    'is garbage': Uint8Array.from({ length: 5000 }, (_, at) => (at * 31) % 251),
    'is truncated in its header': built.slice(0, 6),
    'is truncated in its code': built.slice(0, built.length >> 1),
    'lacks its last byte': built.slice(0, -1),
  }

  for (const [what, bytes] of Object.entries(broken)) {
    for (const engine of ['simd', 'plain'] as const) {
      it(`a module (${engine}) that ${what} is reported once and counted, and TypeScript does the work`, async () => {
        const { kernels, faults, value } = await loadFrom(bytes, engine)
        expect(faults.map(({ kind, engine }) => [kind, engine])).to.deep.equal([['load', engine]])
        expect(faults[0]!.cause).to.be.instanceOf(Error)
        expect([kernels.engine, kernels.faults, value]).to.deep.equal(['typescript', 1, 1])
      })
    }
  }

  it('a module without the exports is reported once and counted, and TypeScript does the work', async () => {
    const { kernels, faults, value } = await loadFrom(EMPTY, 'plain')
    expect([faults.length, kernels.engine, kernels.faults, value]).to.deep.equal([1, 'typescript', 1, 1])
  })

  it('modules elsewhere are as good as the built ones', async () => {
    const { kernels, value } = await loadFrom(built, 'simd')
    expect([kernels.engine, kernels.faults]).to.deep.equal(['simd', 0])
    expect(value).to.be.closeTo(1, 1e-15)
  })

  it('by itself it takes SIMD where the machine has it, and each load has memory of its own', async () => {
    const [one, other] = await Promise.all([loadCoherence(), loadCoherence()])
    expect([one.engine, other.engine]).to.deep.equal(['simd', 'simd'])
    const [a, b] = [one.f64(4), other.f64(4)]
    a.values.fill(7)
    expect([...b.values]).to.deep.equal([0, 0, 0, 0])
    expect(a.values.buffer).not.to.equal(b.values.buffer)
  })

  it('without somebody to tell, it warns on the console, in one line', async () => {
    const said = await warningsOf(() => withModules({}, (modules) => loadCoherence({ engine: 'plain', modules })))
    expect(said).to.have.length(1)
    expect(said[0]).to.match(
      /^kairos: the coherence module \(plain\) could not be loaded, TypeScript takes over: .*ENOENT/,
    )
    expect(said[0]).not.to.include('\n')
  })

  describe('KAIROS_WASM=off', () => {
    const before = process.env['KAIROS_WASM']
    afterEach(() => {
      if (before === undefined) delete process.env['KAIROS_WASM']
      else process.env['KAIROS_WASM'] = before
    })

    it('forces TypeScript, whatever is asked for, and is no fault', async () => {
      process.env['KAIROS_WASM'] = 'off'
      for (const engine of ['simd', 'plain', 'typescript'] as const) {
        const kernels = await loadCoherence({ engine })
        expect([kernels.engine, kernels.faults]).to.deep.equal(['typescript', 0])
      }
      expect((await loadCoherence()).engine).to.equal('typescript')
    })

    it('any other value changes nothing', async () => {
      process.env['KAIROS_WASM'] = 'on'
      expect((await loadCoherence()).engine).to.equal('simd')
    })

    it('is read from the environment of a process', () => {
      const face = pathToFileURL(fileURLToPath(new URL('../../../wasm/index.ts', import.meta.url)))
      const code = `import('${face.href}').then(async ({ loadCoherence }) => console.log((await loadCoherence()).engine))`
      const found = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', code], {
        env: { ...process.env, KAIROS_WASM: 'off' },
        encoding: 'utf8',
      })
      expect([found.stdout, found.stderr]).to.deep.equal(['typescript\n', ''])
    })
  })
})

async function warningsOf(work: () => Promise<unknown>): Promise<string[]> {
  const { warn } = console
  const said: string[] = []
  console.warn = (...parts: unknown[]) => void said.push(parts.join(' '))
  try {
    await work()
  } finally {
    console.warn = warn
  }
  return said
}
