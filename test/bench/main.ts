import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { parseArgs, promisify } from 'node:util'
import { isMet, PEERS, type Bench, type Figure, type Peer, type Report } from './figure.ts'

/** Each is loaded and measured in a process of its own, so that none warms or burdens another. */
const GROUPS: Record<string, () => Promise<Bench>> = {
  coherence: async () => (await import('./coherence.ts')).benchCoherence,
  node: async () => (await import('./node.ts')).benchNode,
  mesh: async () => (await import('./mesh.ts')).benchMesh,
  admission: async () => (await import('./admission.ts')).benchAdmission,
  cell: async () => (await import('./cell.ts')).benchCell,
  state: async () => (await import('./state.ts')).benchState,
  gossip: async () => (await import('./network.ts')).benchGossip,
  content: async () => (await import('./content.ts')).benchContent,
  pins: async () => (await import('./pins.ts')).benchPins,
}
/** What is asked for by one name: blocks that move, and pins that hold them. */
const COMPANIONS: Record<string, string> = { content: 'pins' }
const RESULTS = new URL('./RESULTS.md', import.meta.url)
/** Of one group; on idle cores all take a few minutes. */
const LONGEST_MS = 600_000

type Measured = Record<string, Report | { error: string }>

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    write: { type: 'boolean' },
    alone: { type: 'boolean' },
    ...(Object.fromEntries(PEERS.map((peer) => [peer, { type: 'boolean' }])) as Record<Peer, { type: 'boolean' }>),
  },
})
const peers = new Set(PEERS.filter((peer) => values[peer] === true))
const names = positionals.length === 0 ? Object.keys(GROUPS) : withCompanions(positionals)
const unknown = names.find((name) => !Object.hasOwn(GROUPS, name))
if (unknown !== undefined) {
  process.stderr.write(`there is no benchmark ${unknown}; there are ${Object.keys(GROUPS).join(', ')}\n`)
  process.exitCode = 128
} else if (values.alone === true) {
  const bench = await GROUPS[names[0]!]!()
  const found = await bench(peers)
  const report: Report = Array.isArray(found) ? { figures: found, remarks: [] } : found
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0))
} else {
  const measured = await measureAll(names)
  const page = resultsPage(measured)
  process.stdout.write(values.json === true ? `${JSON.stringify({ machine: machine(), measured }, null, 2)}\n` : page)
  if (values.write === true) await writeFile(RESULTS, page)
  if (Object.values(measured).some((report) => 'error' in report)) process.exitCode = 1
}

function withCompanions(groups: string[]): string[] {
  if (values.alone === true) return groups
  return [...new Set(groups.flatMap((name) => [name, COMPANIONS[name] ?? name]))]
}

async function measureAll(groups: string[]): Promise<Measured> {
  const measured: Measured = {}
  for (const name of groups) {
    process.stderr.write(`${name} …\n`)
    measured[name] = await measure(name).catch((error: unknown) => ({ error: String(error) }))
  }
  return measured
}

async function measure(name: string): Promise<Report> {
  const options = ['--alone', ...[...peers].map((peer) => `--${peer}`)]
  const args = ['--disable-warning=ExperimentalWarning', import.meta.filename, ...options, name]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: LONGEST_MS })
  return JSON.parse(stdout) as Report
}

function resultsPage(measured: Measured): string {
  const sections = Object.entries(measured).flatMap(([name, report]) => [`## ${name}`, '', ...section(report)])
  return ['# Benchmarks', '', 'Written by `npm run bench -- --write`.', '', ...machine(), '', ...sections].join('\n')
}

function section(report: Report | { error: string }): string[] {
  if ('error' in report) return [`not measured: ${report.error}`, '']
  const tables = Object.values(Object.groupBy(report.figures, ({ beside = {} }) => Object.keys(beside).join()))
  return [...tables.flatMap((figures) => [...table(figures!), '']), ...report.remarks.flatMap((remark) => [remark, ''])]
}

function table(figures: Figure[]): string[] {
  const [{ beside } = {} as Figure] = figures
  const columns = beside === undefined ? ['ratio'] : Object.keys(beside)
  const rows = figures.map((figure) => {
    const { name, value, unit, beside } = figure
    const rest = beside === undefined ? [ratio(figure, figures)] : Object.values(beside).map(shown)
    return row([name, `${shown(value)} ${unit}`, asked(figure), ...rest])
  })
  const head = ['figure', 'measured', 'asked for', ...columns]
  return [row(head), row(head.map(() => '---')), ...rows]
}

function row(cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}

function asked(figure: Figure): string {
  const { target } = figure
  if (target === undefined) return ''
  return isMet(figure) === true ? target : `${target} **missed**`
}

function ratio({ value, baseline }: Figure, figures: Figure[]): string {
  const other = figures.find(({ name }) => name === baseline)
  return other === undefined ? '' : `${(value / other.value).toFixed(2)} × ${other.name}`
}

function shown(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 4 }).replaceAll(',', ' ')
}

function machine(): string[] {
  const processors = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return [
    `${new Date().toISOString().slice(0, 10)}, ${processors.length} × ${processors[0]?.model.trim()}, ${memory}, Node ${process.version}, ${process.platform}.`,
  ]
}
