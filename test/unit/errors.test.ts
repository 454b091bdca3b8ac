import { expect } from 'chai'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ERRORS, EXIT } from '../../node/error-table.ts'
import { errorBody, exitCodeOf, kindOf } from '../../node/errors.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { errorsPage } from '../tools/errors-page.ts'

const ROOT = join(import.meta.dirname, '../..')
const SOURCES = ['node', 'protocols', 'consensus', 'wasm', 'bootstrap']
const TABLES = ['error-table.ts', 'error-table-record.ts'].map((name) => join('node', name))

/** Codes in the sources: string literals, and keys of the tables that codes are made of. */
async function codesInSources(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const folder of SOURCES) {
    const names = await readdir(join(ROOT, folder), { recursive: true }).catch(() => [])
    for (const name of names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name))) {
      if (TABLES.includes(name)) continue
      const text = await readFile(join(ROOT, name), 'utf8')
      for (const [, quoted, key] of text.matchAll(/['"`](E_[A-Z0-9_]+)['"`]|^\s+(E_[A-Z0-9_]+):/gm))
        found.set(quoted ?? key ?? '', name)
    }
  }
  return found
}

describe('error codes', () => {
  it('of the sources are all in the table', async () => {
    const missing = [...(await codesInSources())].filter(([code]) => !(code in ERRORS))
    expect(missing).to.deep.equal([])
  })

  it('of the table are all in the sources', async () => {
    const codes = await codesInSources()
    expect(Object.keys(ERRORS).filter((code) => !codes.has(code))).to.deep.equal([])
  })

  it('have a page that is up to date (node test/tools/errors-page.ts writes it)', async () => {
    expect(await readFile(join(ROOT, 'node/errors.md'), 'utf8')).to.equal(errorsPage())
  })

  it('give the exit codes that scripts rely on', () => {
    expect(EXIT).to.deep.equal({
      ok: 0,
      error: 1,
      unreachable: 2,
      invalid: 3,
      refused: 4,
      unhealthy: 5,
      io: 6,
      timeout: 7,
      denied: 8,
      usage: 128,
      interrupted: 130,
    })
    expect(exitCodeOf('E_TIMEOUT')).to.equal(7)
    expect(exitCodeOf('ENOSPC')).to.equal(6)
    expect(exitCodeOf('E_OF_ANOTHER_RELEASE')).to.equal(1)
  })

  it('leave the process in one shape', () => {
    const error = new CodedError('E_TICKET_USED', 'the ticket has been used up', { hint: 'ask for another' })
    expect(errorBody(error)).to.deep.equal({
      error: { code: 'E_TICKET_USED', message: 'the ticket has been used up', hint: 'ask for another' },
    })
    expect(errorBody(new TypeError('x is not a function')).error.code).to.equal('E_INTERNAL')
    expect(kindOf(Object.assign(new Error('no space'), { code: 'ENOSPC' }))).to.deep.include({ exit: 6, status: 500 })
  })
})
