import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const BUILD = join(import.meta.dirname, '../../../wasm/build')

describe('wasm build', () => {
  for (const [script, args] of [
    ['main.ts', []],
    ['main.ts', ['--tools']],
    ['main.ts', ['--check']],
    ['check.ts', []],
  ] as const) {
    it(`${[script, ...args].join(' ')} says in one line how to get Rust when there is none`, () => {
      const { status, stdout, stderr } = start(script, args)
      expect(status).to.equal(1)
      expect(stdout).to.equal('')
      const [title, line, ...more] = stderr.trimEnd().split('\n')
      expect(title).to.match(/^(build|check):wasm: tools are missing$/)
      expect(line).to.match(/^ {2}Rust \d+\.\d+\.\d+: get rustup from \S+, then rustup toolchain install /)
      expect(more).to.deep.equal([])
    })
  }

  it('says what it takes when a flag is unknown', () => {
    const { status, stderr } = start('main.ts', ['--chekc'])
    expect(status).to.equal(1)
    expect(stderr)
      .to.match(/^build:wasm: Unknown option '--chekc'/)
      .and.to.include('--check ')
    expect(stderr).not.to.include('    at ')
  })
})

function start(script: string, args: readonly string[]): ReturnType<typeof spawnSync> & { stderr: string } {
  const node = ['--disable-warning=ExperimentalWarning', join(BUILD, script), ...args]
  return spawnSync(process.execPath, node, { env: { ...process.env, PATH: '' }, encoding: 'utf8' })
}
