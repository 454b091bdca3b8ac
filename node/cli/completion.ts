import type { Command } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** One place in the command line: what may follow `kairos`, `kairos peers`, and so on. */
interface Place {
  /** `` for the program itself, `peers`, `peers ping`. */
  path: string
  commands: { name: string; description: string }[]
  /** Every spelling of every flag that is understood there. */
  flags: { names: string[]; description: string }[]
}

/** @returns a script to be sourced; it knows the tree of commands and asks no node */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, '', [])
  return { bash, zsh, fish }[shell](places)
}

function placesOf(command: Command, path: string, inherited: Place['flags']): Place[] {
  const own = command.options.map(({ short, long, description }) => ({
    names: [short, long].filter((name) => name !== undefined),
    description,
  }))
  const flags = [...own, ...inherited]
  const commands = command.commands.map((inner) => ({ name: inner.name(), description: inner.description() }))
  const below = command.commands.flatMap((inner) => placesOf(inner, `${path} ${inner.name()}`.trim(), flags))
  return [{ path, commands, flags: [...flags, { names: ['-h', '--help'], description: 'explain' }] }, ...below]
}

function wordsOf({ commands, flags }: Place): string {
  return [...commands.map(({ name }) => name), ...flags.flatMap(({ names }) => names)].join(' ')
}

/** The place is found by walking over the words that are commands; everything else is an argument. */
function bash(places: Place[]): string {
  const known = places.map((place) => `    ${quote(place.path)}) words=${quote(wordsOf(place))} ;;`)
  return `# Completion of kairos for bash: source <(kairos completion bash)
_kairos() {
  local current="\${COMP_WORDS[COMP_CWORD]}" place='' word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${place:+$place }$word" in
      ${placePattern(places)}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place" in
${known.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _kairos kairos
`
}

function zsh(places: Place[]): string {
  const known = places.map(
    (place) =>
      `    ${quote(place.path)}) known=(${described(place)
        .map(([word, text]) => quote(`${word}:${text}`))
        .join(' ')}) ;;`,
  )
  return `#compdef kairos
# Completion of kairos for zsh: source <(kairos completion zsh), or as _kairos in $fpath
_kairos() {
  local place='' word
  local -a known
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${place:+$place }$word" in
      ${placePattern(places)}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place" in
${known.join('\n')}
  esac
  _describe 'kairos' known || _files
}
if [[ "$funcstack[1]" == _kairos ]]; then _kairos "$@"; else compdef _kairos kairos; fi
`
}

function fish(places: Place[]): string {
  const lines = places.flatMap((place) =>
    described(place).map(
      ([word, text]) =>
        `complete -c kairos -n ${quote(`test "$(__kairos_place)" = "${place.path}"`)} -a ${quote(word)} -d ${quote(text)}`,
    ),
  )
  const paths = places.map(({ path }) => quote(path)).join(' ')
  return `# Completion of kairos for fish: kairos completion fish | source
function __kairos_place
  set -l place ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$place $word")
    if contains -- "$next" ${paths}
      set place $next
    end
  end
  echo $place
end
${lines.join('\n')}
`
}

function described({ commands, flags }: Place): [word: string, description: string][] {
  return [
    ...commands.map(({ name, description }): [string, string] => [name, description]),
    ...flags.flatMap(({ names, description }) => names.map((name): [string, string] => [name, description])),
  ].map(([word, text]) => [word, text.replace(/[:\n]/g, ' ')])
}

function placePattern(places: Place[]): string {
  return places.flatMap(({ path }) => (path === '' ? [] : [quote(path)])).join(' | ')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
