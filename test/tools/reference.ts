import { mkdir, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { createIo } from '../../node/cli/io.ts'
import { createProgram, globalFlags } from '../../node/cli/program.ts'
import { VERBS } from '../../node/cli/verb-table.ts'
import { KEYS, type KeyInfo } from '../../node/config/keys.ts'
import { variableOf } from '../../node/config/text.ts'
import { errorsPage } from './errors-page.ts'

const FOLDER = new URL('../../docs/reference/', import.meta.url)

/** Every configuration key, from the schema that checks them. */
function configurationPage(): string {
  const rows = [...KEYS.values()].filter(({ type }) => type !== 'section')
  return page('Configuration', 'Order: flag > `KAIROS_*` variable > file > default.', [
    '| key | variable | allowed | default | what it does |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(keyRow),
  ])
}

/** The help of every verb, as `kairos help VERB` prints it. */
async function commandsPage(): Promise<string> {
  const program = await wholeProgram()
  return page('Commands', '`kairos help` lists them.', [
    ...section('kairos', helpOf(program)),
    ...leaves(program).flatMap((command) => section(fullName(command), helpOf(command))),
  ])
}

async function wholeProgram(): Promise<Command> {
  const program = createProgram()
  const io = createIo(process, () => globalFlags(program), new AbortController().signal)
  for (const load of Object.values(VERBS)) await (await load()).register(program, io)
  return program
}

/** Verbs, and the verbs below a verb, in the order of `help`. */
function leaves(command: Command): Command[] {
  return command.commands.flatMap((inner) => [inner, ...leaves(inner)])
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`
}

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 100 }).outputHelp()
  return text.trim()
}

function section(title: string, text: string): string[] {
  return [`## ${title}`, '', '```', text, '```', '']
}

function keyRow({ key, allowed, default: initial, description }: KeyInfo): string {
  const shown = initial === undefined ? '' : `\`${JSON.stringify(initial)}\``
  const variable = key.includes('[]') ? '' : `\`${variableOf(key)}\``
  return `| ${[`\`${key}\``, variable, allowed, shown, description].map(cell).join(' | ')} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function page(title: string, intro: string, lines: string[]): string {
  return [`# ${title}`, '', intro, '', ...lines, ''].join('\n')
}

await mkdir(FOLDER, { recursive: true })
await writeFile(new URL('configuration.md', FOLDER), configurationPage())
await writeFile(new URL('commands.md', FOLDER), await commandsPage())
await writeFile(new URL('errors.md', FOLDER), errorsPage())
