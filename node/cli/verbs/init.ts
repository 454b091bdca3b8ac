import { readFile } from 'node:fs/promises'
import { Option } from 'commander'
import {
  createGenesis,
  founderOf,
  meshIdOf,
  parseGenesis,
  type Founder,
  type Genesis,
  type Role,
} from '../../../protocols/admission/index.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import type { Config } from '../../config/schema.ts'
import { writeMembership } from '../../network/membership-files.ts'
import type { Io } from '../io.ts'
import { examples, type Register } from '../program.ts'
import { atWorkplace, changeConfig, defaultName, requireFree, type Workplace } from '../setup.ts'
import { list } from '../text.ts'

interface Flags {
  name?: string
  role?: Role
  cell?: string
  listen?: string[]
  profile?: keyof typeof PROFILES
  founder?: true
  genesis?: string
}

/** Settings for a purpose, as in kubo. */
const PROFILES = {
  local: {},
  server: { 'network.listen': '/ip4/0.0.0.0/tcp/18789' },
  test: { 'network.listen': '/ip4/127.0.0.1/tcp/0', 'api.port': '0' },
} satisfies Record<string, Record<string, string>>

export const register: Register = (program, io) => {
  const command = program
    .command('init')
    .description('make key, configuration and a mesh of one; or the entry of a founder for a mesh of several')
    .option('--name <name>', 'name of the node; by default the machine’s')
    .addOption(new Option('--role <role>', 'what it does').choices(['full', 'light', 'witness', 'relay']))
    .option('--cell <cell>', 'its cell: one operator’s nodes')
    .option('--listen <address...>', 'multiaddrs to listen on')
    .addOption(
      new Option('--profile <profile>', 'local: loopback; server: all addresses; test: free ports').choices(
        Object.keys(PROFILES),
      ),
    )
    .option('--founder', 'make no mesh; print the public entry for `kairos genesis create`')
    .addOption(new Option('--genesis <file>', 'be a founder of this mesh').conflicts('founder'))
    .action((flags: Flags) => atWorkplace(io, (place) => init(io, place, flags)))
  examples(command, 'kairos init --name alpha-1', 'kairos init --founder --name beta-1 --cell beta')
}

async function init(io: Io, place: Workplace, flags: Flags): Promise<void> {
  const { paths, peerId, isNew } = place
  if (!isNew && flags.founder === undefined && flags.genesis === undefined)
    throw new CodedError('E_KEY_EXISTS', `there is a node already: ${paths.root}`, {
      hint: 'use it, or choose another directory with --path',
    })
  const genesis = flags.genesis === undefined ? undefined : await adopted(place, flags.genesis)
  const founder = genesis === undefined ? undefined : founderOf(genesis, peerId)
  const profile: Record<string, string> = PROFILES[flags.profile ?? 'local']
  const config = await changeConfig(paths, {
    ...profile,
    name: founder?.name ?? flags.name ?? (isNew ? defaultName() : undefined),
    'node.role': founder?.role ?? flags.role,
    'node.cell': founder?.cell ?? flags.cell,
    'network.listen': flags.listen?.join(',') ?? profile['network.listen'],
  })
  const entry: Founder = { peerId, name: config.name, role: config.node.role, cell: config.node.cell }
  if (flags.founder !== undefined) return io.document(entry, () => JSON.stringify(entry))
  const mesh = genesis ?? meshOfOne(entry, config)
  if (mesh !== undefined) await writeMembership(paths, { genesis: mesh, chain: [] })
  await announce(io, place, { ...entry, mesh })
}

/** Only a full node can be a mesh by itself; others wait for a ticket. */
function meshOfOne(entry: Founder, config: Config): Genesis | undefined {
  if (entry.role !== 'full') return undefined
  const { omega, coherence_threshold: collapseThreshold } = config.kairos
  return createGenesis([entry], { name: entry.name, omega, collapseThreshold })
}

/** @throws {CodedError} E_NOT_FOUNDER, E_ALREADY_MEMBER, E_GENESIS_INVALID */
async function adopted({ paths, peerId }: Workplace, file: string): Promise<Genesis> {
  const genesis = parseGenesis(await readFile(file, 'utf8'))
  if (founderOf(genesis, peerId) === undefined)
    throw new CodedError('E_NOT_FOUNDER', `${file} does not list this node (${peerId}) as a founder`, {
      hint: 'give the entry that `kairos init --founder` prints to who writes the genesis, or join with a ticket',
    })
  await requireFree(paths, (files) => meshIdOf(files.genesis) === meshIdOf(genesis))
  return genesis
}

async function announce(io: Io, { paths }: Workplace, made: Founder & { mesh: Genesis | undefined }): Promise<void> {
  const { mesh, ...entry } = made
  const meshId = mesh === undefined ? null : meshIdOf(mesh)
  await io.document({ ...entry, meshId, path: paths.root, config: paths.config }, () =>
    list([
      ['peer', entry.peerId],
      ['node', `${entry.name}, ${entry.role} of cell ${entry.cell}`],
      ['mesh', meshId ?? 'none yet'],
      ['config', paths.config],
    ]),
  )
  io.note(meshId === null ? 'next: kairos join TICKET' : 'next: kairos run')
}
