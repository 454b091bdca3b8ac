import { writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { Figure } from './figure.ts'

/** What can be measured, each loaded only when it is. */
const GROUPS: Readonly<Record<string, () => Promise<Figure[]>>> = {
  node: async () => (await import('./node.ts')).benchNode(),
  mesh: async () => (await import('./mesh.ts')).benchMesh(),
  coherence: async () => (await import('./coherence.ts')).benchCoherence(),
  admission: async () => (await import('./admission.ts')).benchAdmission(),
  content: async () => (await import('./content.ts')).benchContent(),
  gossip: async () => (await import('./network.ts')).benchGossip(),
}

const RESULTS = new URL('./RESULTS.md', import.meta.url)
const USAGE = `npm run bench -- [${Object.keys(GROUPS).join(' | ')}]… [--json] [--write]
  --json    one document on stdout
  --write   also into test/bench/RESULTS.md, with machine and date
`

type Result = Figure & { group: string }

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, write: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  const unknown = positionals.filter((name) => !Object.hasOwn(GROUPS, name))
  if (values.help === true || unknown.length > 0) {
    process.stderr.write(`${unknown.length > 0 ? `there is no group ${unknown.join(', ')}\n` : ''}${USAGE}`)
    return unknown.length > 0 ? 128 : 0
  }
  const results: Result[] = []
  for (const group of positionals.length > 0 ? positionals : Object.keys(GROUPS)) {
    process.stderr.write(`measuring ${group} …\n`)
    results.push(...(await GROUPS[group]!()).map((figure) => ({ group, ...figure })))
  }
  process.stdout.write(values.json === true ? `${JSON.stringify({ machine: machine(), results })}\n` : table(results))
  if (values.write === true) await writeFile(RESULTS, page(results))
  return 0
}

function machine(): string {
  const [first] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${memory} GiB, Node ${process.versions.node}, ${process.platform}`
}

function row({ group, name, value, unit, target }: Result): string[] {
  const shown = Number.isInteger(value) ? String(value) : value.toPrecision(3)
  return [group, name, `${value >= 1e5 ? Math.round(value).toLocaleString('en') : shown} ${unit}`, String(target ?? '')]
}

function table(results: Result[]): string {
  const rows = [['GROUP', 'FIGURE', 'VALUE', 'TARGET'], ...results.map(row)]
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((cells) => cells[i]!.length)))
  return rows
    .map(
      (cells) =>
        `${cells
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function page(results: Result[]): string {
  const date = new Date().toISOString().slice(0, 10)
  return `# Figures

Written by \`npm run bench -- --write\` on ${date}: ${machine()}.

| group | figure | value | target |
| --- | --- | --- | --- |
${results.map((result) => `| ${row(result).join(' | ')} |\n`).join('')}`
}

// Nodes that a group has stopped may still hold timers of their dependencies.
process.exit(await main())
