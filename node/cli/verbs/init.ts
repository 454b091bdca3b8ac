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
import { profileOption, profileSettings, type ProfileFlags } from '../profiles.ts'
import { atWorkplace, ensureKey, planConfig, requireFree, requireNone, writeConfig, type Workplace } from '../setup.ts'
import { list } from '../text.ts'

interface Flags extends ProfileFlags {
  name?: string
  role?: Role
  cell?: string
  founder?: true
  genesis?: string
}

export const register: Register = (program, io) => {
  const command = program
    .command('init')
    .description('make key, configuration and a mesh of one; or the entry of a founder for a mesh of several')
    .option('--name <name>', 'name of the node; by default the machine’s')
    .addOption(new Option('--role <role>', 'what it does').choices(['full', 'light', 'witness', 'relay']))
    .option('--cell <cell>', 'its cell: one operator’s nodes')
    .option('--listen <address...>', 'multiaddrs to listen on')
    .addOption(profileOption())
    .option('--founder', 'make no mesh; print the public entry for `kairos genesis create`')
    .addOption(new Option('--genesis <file>', 'be a founder of this mesh').conflicts('founder'))
    .action((flags: Flags) => atWorkplace(io, (place) => init(io, place, flags)))
  examples(command, 'kairos init --name alpha-1', 'kairos init --founder --name beta-1 --cell beta')
}

async function init(io: Io, place: Workplace, flags: Flags): Promise<void> {
  if (flags.founder === undefined && flags.genesis === undefined) await requireNone(place)
  const adopted = flags.genesis === undefined ? undefined : await adopt(place, flags.genesis)
  const { config, changes } = await planConfig(place, {
    ...profileSettings(flags),
    name: adopted?.founder.name ?? flags.name,
    'node.role': adopted?.founder.role ?? flags.role,
    'node.cell': adopted?.founder.cell ?? flags.cell,
  })
  const { peerId } = await ensureKey(place)
  const entry: Founder = { peerId, name: config.name, role: config.node.role, cell: config.node.cell }
  const mesh = flags.founder === undefined ? (adopted?.genesis ?? meshOfOne(entry, config)) : undefined
  await writeConfig(place, changes)
  if (flags.founder !== undefined) return io.document(entry, () => JSON.stringify(entry))
  if (mesh !== undefined) await writeMembership(place.paths, { genesis: mesh, chain: [] })
  await announce(io, place, { ...entry, mesh })
}

/** Only a full node can be a mesh by itself; others wait for a ticket. */
function meshOfOne(entry: Founder, config: Config): Genesis | undefined {
  if (entry.role !== 'full') return undefined
  const { omega, coherence_threshold: collapseThreshold } = config.kairos
  return createGenesis([entry], { name: entry.name, omega, collapseThreshold })
}

/** @throws {CodedError} E_NOT_FOUNDER, E_ALREADY_MEMBER, E_GENESIS_INVALID */
async function adopt(place: Workplace, file: string): Promise<{ genesis: Genesis; founder: Founder }> {
  const genesis = parseGenesis(await readFile(file, 'utf8'))
  const { peerId } = await ensureKey(place)
  const founder = founderOf(genesis, peerId)
  if (founder === undefined)
    throw new CodedError('E_NOT_FOUNDER', `${file} does not list this node (${peerId}) as a founder`, {
      hint: 'give the entry that `kairos init --founder` prints to who writes the genesis, or join with a ticket',
    })
  await requireFree(place, (files) => meshIdOf(files.genesis) === meshIdOf(genesis))
  return { genesis, founder }
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
