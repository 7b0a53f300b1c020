/** holdfast completion bash|zsh|fish: scripts made from the tree of commands itself */
import { Argument, type Command } from 'commander'
import { type AddCommands, examples } from '../session.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

export const addCompletion: AddCommands = program => {
  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        'holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast',
        'holdfast completion fish > ~/.config/fish/completions/holdfast.fish'
      )
    )
    .action((shell: Shell) => {
      process.stdout.write(completionScript(program, shell))
    })
}

interface Node {
  /** Words after `holdfast`, for example "wallet send". */
  name: string
  description: string
  commands: string[]
  options: { flag: string; description: string }[]
}

export function completionScript(program: Command, shell: Shell): string {
  const nodes = nodesOf(program, '')
  if (shell === 'fish') return fish(nodes)
  const bash = `${bashFunction(nodes)}complete -o default -F _holdfast holdfast\n`
  // zsh runs the functions of bash
  return shell === 'bash'
    ? bash
    : `#compdef holdfast\nautoload -U +X bashcompinit && bashcompinit\n${bash}`
}

function nodesOf(command: Command, name: string): Node[] {
  const global = command.parent === null ? [] : rootOf(command).options
  const node: Node = {
    name,
    description: command.description(),
    commands: command.commands.map(sub => sub.name()),
    options: [...command.options.filter(option => !option.hidden), ...global].map(option => ({
      flag: option.long ?? option.short ?? '',
      description: option.description
    }))
  }
  const below = command.commands.flatMap(sub => nodesOf(sub, `${name} ${sub.name()}`.trim()))
  return [node, ...below]
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent)
}

/** The words typed so far that are commands choose the case. */
function bashFunction(nodes: readonly Node[]): string {
  const groups = nodes.filter(({ commands }) => commands.length > 0)
  return `_holdfast_commands() {
  case "$1" in
${groups.map(({ name, commands }) => `    '${name}') echo '${commands.join(' ')}' ;;`).join('\n')}
  esac
}
_holdfast_flags() {
  case "$1" in
${nodes.map(({ name, options }) => `    '${name}') echo '${flagsOf(options)}' ;;`).join('\n')}
  esac
}
_holdfast() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case " $(_holdfast_commands "$path") " in
      *" $word "*) path="\${path:+$path }$word" ;;
    esac
  done
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$(_holdfast_flags "$path")" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$(_holdfast_commands "$path")" -- "$current"))
  fi
}
`
}

function flagsOf(options: Node['options']): string {
  return [...options.map(({ flag }) => flag), '--help'].join(' ')
}

function fish(nodes: readonly Node[]): string {
  const lines = ['complete -c holdfast -n __fish_use_subcommand -f']
  for (const { name, commands, options } of nodes) {
    const words = name === '' ? [] : name.split(' ')
    const seen = words.map(word => `__fish_seen_subcommand_from ${word}`).join('; and ')
    const here = name === '' ? '__fish_use_subcommand' : seen
    for (const command of commands) {
      const { description } = nodes.find(node => node.name === `${name} ${command}`.trim())!
      const without =
        name === '' ? here : `${here}; and not __fish_seen_subcommand_from ${commands.join(' ')}`
      lines.push(
        `complete -c holdfast -n '${without}' -f -a ${command} -d '${quoted(description)}'`
      )
    }
    for (const { flag, description } of options) {
      const long = flag.replace(/^-+/, '')
      lines.push(`complete -c holdfast -n '${here}' -l ${long} -d '${quoted(description)}'`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** Inside single quotes of fish. */
function quoted(text: string): string {
  return text.replace(/['\\]/g, '\\$&')
}
