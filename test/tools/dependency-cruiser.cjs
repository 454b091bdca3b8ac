/** Imports point one way (README, "Where to find what"). */
const never = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: to },
})

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    never('protocols-look-down', '^protocols/', '^(node|bootstrap|wasm|test)/', 'protocols know no node'),
    never(
      'protocols-are-independent',
      '^protocols/([^/]+)/',
      '^protocols/(?!shared/|$1/)[^/]+/',
      'only shared/ is shared',
    ),
    never(
      'consensus-through-ports',
      '^consensus/',
      '^(node|bootstrap|protocols/(?!shared/)|test)/',
      'drivers get ports',
    ),
    never('wasm-is-a-leaf', '^wasm/', '^(node|bootstrap|protocols|consensus|test)/', 'engines know nobody'),
    never('node-is-below-bootstrap', '^node/', '^(bootstrap|test)/', 'bootstrap uses the node as people do'),
    never(
      'no-tests-in-the-product',
      '^(node|protocols|consensus|wasm|bootstrap)/',
      '^test/',
      'test code stays in test/',
    ),
    {
      name: 'no-tools-in-the-product',
      comment: 'a production install has no development dependencies',
      severity: 'error',
      from: { path: '^(node|protocols|consensus|wasm)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'all-resolve',
      comment: 'an import that leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: ['node_modules', '^wasm/modules/'] },
    exclude: { path: '^wasm/target/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
