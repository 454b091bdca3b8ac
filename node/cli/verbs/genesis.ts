import { readFile } from 'node:fs/promises'
import { InvalidArgumentError, type Command } from 'commander'
import type { Founder, Genesis } from '../../../protocols/admission/index.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import type { Io } from '../io.ts'
import { durationArgument, examples, type Register } from '../program.ts'
import { list, table } from '../text.ts'

interface Flags {
  name: string
  weight?: Weights
  omega?: number
  threshold?: number
  epoch?: number
}

/** By cell; `*` for all that are not named. */
type Weights = Record<string, number>

export const register: Register = (program, io) => {
  const genesis = program.command('genesis').description('the founding document of a mesh; its CID is the mesh id')
  examples(genesis, 'kairos genesis show')
  registerCreate(genesis, io)
  registerShow(genesis, io)
}

function registerCreate(genesis: Command, io: Io): void {
  const command = genesis
    .command('create <founder...>')
    .description('write the genesis of several founders, from the files with their entries, to stdout')
    .option('--name <name>', 'name of the mesh', 'kairos')
    .option('--weight <weight...>', 'of each operator (3), or of one by its cell (alpha=3)', weightArgument)
    .option('--omega <rad/s>', 'ω of the mesh’s oscillator', positiveArgument)
    .option('--threshold <i_c>', 'collapse at |T|² of this', positiveArgument)
    .option('--epoch <duration>', 'pace of the epochs', durationArgument)
    .action(async (files: string[], flags: Flags) => {
      const { createGenesis, meshIdOf } = await import('../../../protocols/admission/index.ts')
      const { genesisText } = await import('../../network/membership-files.ts')
      const founders = await Promise.all(files.map(readFounder))
      const made = createGenesis(founders, {
        name: flags.name,
        operators: operatorsOf(founders, flags.weight ?? {}),
        ...(flags.omega === undefined ? {} : { omega: flags.omega }),
        ...(flags.threshold === undefined ? {} : { collapseThreshold: flags.threshold }),
        ...(flags.epoch === undefined ? {} : { epochMs: Math.round(flags.epoch * 1000) }),
      })
      await io.write(genesisText(made))
      io.note(`mesh ${meshIdOf(made)}; each founder adopts it: kairos init --genesis FILE`)
    })
  examples(command, 'kairos genesis create alpha-1.json beta-1.json --weight 3 --name ours')
}

function registerShow(genesis: Command, io: Io): void {
  const command = genesis
    .command('show')
    .description('the genesis of this node’s mesh')
    .action(async () => {
      const { meshIdOf } = await import('../../../protocols/admission/index.ts')
      const { requireMembership } = await import('../../network/membership-files.ts')
      const { resolvePaths } = await import('../../config/paths.ts')
      const { genesis } = await requireMembership(resolvePaths({ path: io.flags.path, env: io.env }))
      const meshId = meshIdOf(genesis)
      await io.document({ meshId, genesis }, () => describe(meshId, genesis))
    })
  examples(command, 'kairos genesis show', 'kairos genesis show --json')
}

async function readFounder(file: string): Promise<Founder> {
  const text = await readFile(file, 'utf8')
  try {
    // Every field is checked by createGenesis.
    return JSON.parse(text) as Founder
  } catch (cause) {
    throw new CodedError('E_GENESIS_INVALID', `${file} holds no founder’s entry`, {
      hint: 'a founder prints it with `kairos init --founder`',
      cause,
    })
  }
}

function operatorsOf(founders: Founder[], weights: Weights): Record<string, { weight: number }> {
  const { '*': each = 1, ...own } = weights
  return Object.fromEntries([
    ...founders.map(({ cell }) => [cell, { weight: each }]),
    ...Object.entries(own).map(([cell, weight]) => [cell, { weight }]),
  ])
}

function weightArgument(text: string, before: Weights = {}): Weights {
  const [, cell = '*', weight] = /^(?:([a-z0-9-]+)=)?([1-9]\d*)$/.exec(text) ?? []
  if (weight === undefined) throw new InvalidArgumentError('Give a whole number such as 3, or CELL=3.')
  return { ...before, [cell]: Number(weight) }
}

function positiveArgument(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('Give a number above 0.')
  return value
}

function describe(meshId: string, genesis: Genesis): string {
  const facts = list([
    ['mesh', meshId],
    ['name', genesis.name],
    ['created', new Date(genesis.created).toISOString()],
    ['open', genesis.open ? 'yes, but this release lets members only in' : 'no'],
    ['omega', `${genesis.omega} rad/s`],
    ['threshold', String(genesis.collapseThreshold)],
    ['epoch', `${genesis.epochMs} ms`],
  ])
  const rows = genesis.operators.flatMap(({ name, cell, weight, founders }) =>
    founders.map((founder) => [name, cell, String(weight), founder.name, founder.role, founder.peerId]),
  )
  return `${facts}\n${table(['OPERATOR', 'CELL', 'WEIGHT', 'FOUNDER', 'ROLE', 'PEER'], rows)}`
}
