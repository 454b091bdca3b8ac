import { Command, InvalidArgumentError, Option } from 'commander'
import type { GlobalFlags, Io } from './io.ts'
import { parseDuration } from './text.ts'

/** A verb's file exports this; it may load its own parts. */
export type Register = (program: Command, io: Io) => void | Promise<void>

/** The program without its verbs: global flags, help, and errors that are thrown, never printed. */
export function createProgram(): Command {
  return new Command('kairos')
    .description('A node of a Kairos mesh: a common clock and coherence, a common memory, a common record.')
    .addOption(new Option('--json', 'print documents as JSON, streams as NDJSON').env('KAIROS_JSON'))
    .addOption(new Option('--api <url>', 'the running node’s API; by default the one of --path').env('KAIROS_API'))
    .addOption(new Option('--token <token>', 'its bearer token; by default the one of --path').env('KAIROS_TOKEN'))
    .addOption(new Option('--path <dir>', 'directory of the node; by default the XDG places').env('KAIROS_PATH'))
    .addOption(
      new Option('--timeout <duration>', 'give up after this long (30s, 5m)')
        .env('KAIROS_TIMEOUT')
        .argParser(durationArgument),
    )
    .addOption(new Option('-q, --quiet', 'only data, no notes').env('KAIROS_QUIET'))
    .addOption(new Option('--no-progress', 'no progress bar').env('KAIROS_NO_PROGRESS'))
    .addOption(new Option('--debug', 'show the stack of an error').env('KAIROS_DEBUG'))
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .helpCommand('help [verb]', 'explain a verb, with examples')
    .exitOverride()
}

export function globalFlags(program: Command): GlobalFlags {
  return program.opts<GlobalFlags>()
}

/** The verb of a group that runs when none is named. commander would take one that there is not for its argument. */
export function defaultVerb(group: Command, name: string): Command {
  return group
    .command(name, { isDefault: true })
    .allowExcessArguments()
    .hook('preAction', ({ args }) => {
      if (args.length === 0) return
      group.error(`error: ${complaint(group, name, args[0]!)}`)
    })
}

/** What is wrong with a word after a group, or after its default verb; on a second line what there is instead. */
function complaint(group: Command, verb: string, word: string): string {
  const typed = `kairos ${group.name()}`
  if (group.args[0] === verb) return `'${verb}' takes no arguments\nRun \`${typed} ${verb} --help\`.`
  const verbs = group.commands.map((command) => command.name())
  if (verbs.includes(word)) return `'${word}' comes right after '${group.name()}'\nRun \`${typed} ${word} --help\`.`
  return `unknown command '${word}'\n\`${typed}\` has ${verbs.join(', ')}.`
}

/** commander's argument parser for durations, in seconds. */
export function durationArgument(text: string): number {
  const seconds = parseDuration(text)
  if (seconds === undefined) throw new InvalidArgumentError('Give a time such as 500ms, 30s, 5m, 2h or 7d.')
  return seconds
}

/** commander's argument parser for whole numbers of at least `min`, and at most `max` where there is one. */
export function countArgument(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} on` : `${min} to ${max}`
    throw new InvalidArgumentError(`Give a whole number from ${range}.`)
  }
}

/** Adds the examples that `help` shows; they work as printed. */
export function examples(command: Command, ...lines: string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`)
}
