import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ENGINES, moduleName } from '../../../wasm/build/engines.ts'
import { inputsNow, MODULES_FOLDER, modulesIn, SOURCES_FILE, type Sources } from '../../../wasm/build/sources.ts'

const REBUILD = 'run `npm run build:wasm` and commit wasm/modules'
const committed = JSON.parse(readFileSync(join(MODULES_FOLDER, SOURCES_FILE), 'utf8')) as Sources
const found: Sources = { ...inputsNow(), modules: modulesIn(MODULES_FOLDER) }

describe('wasm modules', () => {
  it('were built from the Rust sources and by the build that are here', () => {
    expect(found.inputs, REBUILD).to.deep.equal(committed.inputs)
    expect(found.inputs).to.include.keys('Cargo.lock', 'rust-toolchain.toml', 'build/compile.ts')
  })

  it('were optimised by the binaryen of package.json', () => {
    expect(found.binaryen, REBUILD).to.equal(committed.binaryen)
  })

  it('are, byte for byte, what the build wrote', () => {
    expect(found.modules, REBUILD).to.deep.equal(committed.modules)
  })

  it('are there for every engine and variant, with one glue', () => {
    const expected = ENGINES.flatMap((engine) => [
      ...engine.variants.map((variant) => moduleName(engine, variant)),
      `${engine.name}.js`,
      `${engine.name}.d.ts`,
    ])
    expect(Object.keys(found.modules)).to.have.members(expected)
  })
})
