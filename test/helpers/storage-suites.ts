import { createRequire, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Blockstore } from 'interface-blockstore'
import type { Datastore } from 'interface-datastore'

interface Suite<Store> {
  setup(): Promise<Store>
  teardown(store: Store): Promise<void>
}

// The suites take chai and its plugins from a build tool of 300 MB, which they do not depend on.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'aegir/chai'
      ? { url: new URL('./suite-chai.ts', import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
})
const require = createRequire(import.meta.url)
// Tests are declared while their file is read, so nothing may be awaited; their packages name only `import`.
const load = (suite: string) => require(fileURLToPath(import.meta.resolve(suite)))

/** What every blockstore of this ecosystem keeps. */
export function blockstoreSuite(suite: Suite<Blockstore>): void {
  load('interface-blockstore-tests').interfaceBlockstoreTests(suite)
}

/** What every datastore of this ecosystem keeps. */
export function datastoreSuite(suite: Suite<Datastore>): void {
  load('interface-datastore-tests').interfaceDatastoreTests(suite)
}
