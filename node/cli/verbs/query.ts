import { Argument, Option } from 'commander'
import type { QueryRow } from '../../operations.ts'
import { createClient } from '../client.ts'
import { countArgument, examples, type Register } from '../program.ts'
import { printable } from '../text.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('query')
    .description('ask members over the mesh; one that does not answer is a row with its error')
    .addArgument(new Argument('<what>', 'what to ask').choices(['status', 'peers', 'coherence']))
    .option('--peer <id>', 'one member; by default this node')
    .addOption(new Option('--all', 'the whole mesh').conflicts('peer'))
    .option('--history <n>', 'with coherence: this many points of the past', countArgument(1))
    .action(async (what: string, flags: { peer?: string; all?: true; history?: number }) => {
      for await (const row of createClient(io).rows<QueryRow>('/query', { what, ...flags })) {
        await io.row(row, () => describe(row))
      }
    })
  examples(command, 'kairos query status --all', 'kairos query coherence --all --json')
}

function describe({ peerId, name, data, error }: QueryRow): string {
  const who = `${printable(name)} ${printable(peerId)}`
  if (error !== undefined) return `${who}\n  ${error.code}: ${printable(error.message)}\n`
  return `${who}\n${lines(data, '  ').join('\n')}\n`
}

/** Nested documents as indented lines, short lists on one. */
function lines(value: unknown, indent: string): string[] {
  if (value === null || typeof value !== 'object') return [`${indent}${scalar(value)}`]
  return Object.entries(value).flatMap(([key, inner]) => {
    const flat = inner === null || typeof inner !== 'object' || isFlatList(inner)
    const label = Array.isArray(value) ? '-' : `${printable(key)}:`
    return flat ? `${indent}${label} ${scalar(inner)}` : [`${indent}${label}`].concat(lines(inner, `${indent}  `))
  })
}

function isFlatList(value: object): boolean {
  return Array.isArray(value) && value.every((item) => item === null || typeof item !== 'object')
}

function scalar(value: unknown): string {
  return Array.isArray(value) ? value.map(scalar).join(', ') : printable(String(value))
}
