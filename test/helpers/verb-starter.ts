import type { Api } from '../../node/api/server.ts'
import type { Operations } from '../../node/operations.ts'
import { fakeOperations } from './fake-operations.ts'
import { runVerb, type VerbOptions } from './run-verb.ts'
import { startApi } from './start-api.ts'

/** @returns what starts the API of a node that says what a test wants; it stops after that test */
export function verbStarter() {
  const started: Api[] = []
  afterEach(async () => {
    await Promise.all(started.splice(0).map((api) => api.stop()))
  })
  return async (overrides: Partial<Operations> = {}) => {
    const operations = fakeOperations(overrides)
    const api = await startApi(operations)
    started.push(api)
    const run = (line: string[] | string, options?: VerbOptions) =>
      runVerb(api, typeof line === 'string' ? line.split(' ') : line, options)
    return { run, calls: operations.calls }
  }
}

/** JSON lines. */
export function documents(text: string): Record<string, unknown>[] {
  const lines = text.trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}
