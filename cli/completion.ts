import { Argument, type Command } from 'commander'
import { holdKey } from '../functions/control/hold.ts'
import { readable } from '../functions/control/reading.ts'
import { candidates, type Live } from './candidates.ts'
import type { Desk, Reachable } from './desk/desk.ts'
import { inShell } from './desk/shell-word.ts'
import { contextsOf, type PlaceOptions, placeOf } from './reach/contexts.ts'

/** Each hands the line up to the cursor to `kdc complete`, which knows all of it. */
const scripts = {
  bash: `_kdc() {
  local line=\${COMP_LINE:0:COMP_POINT} word prefix found
  word=\${line##*[[:space:]]}
  # What is before a colon or = is another word to bash, and stays as it is.
  [[ $word == *[:=]* ]] && prefix=\${word%"\${word##*[:=]}"}
  COMPREPLY=()
  while IFS= read -r found; do COMPREPLY+=("\${found#"$prefix"}"); done < <(kdc complete "$line" 2>/dev/null)
}
complete -F _kdc kdc
`,
  zsh: `#compdef kdc
_kdc() {
  local -a found
  found=("\${(@f)$(kdc complete "\${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
  compadd -Q -- \${found:#}
}
compdef _kdc kdc
`,
  fish: `complete -c kdc -f -a '(kdc complete (commandline -cp) 2>/dev/null)'
`,
} as const
type Shell = keyof typeof scripts
const shells: readonly Shell[] = ['bash', 'zsh', 'fish']

export function addCompletion(program: Command, desk: Desk): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'whose').choices(shells))
    .description('prints a script that completes commands, options and names: source <(kdc completion bash)')
    .action((shell: Shell) => desk.out(scripts[shell]))
  program
    .command('complete', { hidden: true })
    .argument('<line>', 'up to the cursor')
    .action(async (line: string) => {
      const { words, live, before = '', place } = candidates(program, line)
      const names = live === undefined ? [] : await liveNames(desk, live, place)
      const current = line.slice(line.search(/\S*$/))
      const named = names.map((name) => `${before}${name}`)
      const found = [...new Set([...words, ...named])].filter((word) => word.startsWith(current))
      // One that a shell has to have quoted is no word that it could go on with.
      for (const word of found.filter((each) => inShell(each) === each)) desk.out(`${word}\n`)
    })
}

/** Where the deployment can't be asked, or not soon, there are none: nobody wants to read why on a TAB. */
async function liveNames(desk: Desk, live: Live, place: PlaceOptions): Promise<readonly string[]> {
  try {
    if (live === 'contexts') return Object.keys(await contextsOf(desk))
    return await namesOf(await desk.reach(await placeOf(desk, place), 'at once'), live)
  } catch {
    return []
  }
}

async function namesOf({ shelf }: Reachable, live: Exclude<Live, 'contexts'>): Promise<string[]> {
  switch (live) {
    case 'edges':
      return (await shelf.edgeHeads())
        .filter(({ removedAt }) => removedAt === undefined)
        .map(({ edge }) => edge)
    case 'removed edges':
      return (await shelf.edgeHeads()).flatMap(({ edge, removedAt }) => (removedAt === undefined ? [] : edge))
    case 'holds':
      return (await shelf.holds()).map(holdKey)
    case 'groups':
      return ((await shelf.inventory())?.instances ?? []).flatMap(({ group }) => group ?? [])
    case 'targets': {
      const [holds, inventory, [head]] = await Promise.all([
        shelf.holds(),
        shelf.inventory(),
        shelf.edgeHeads(),
      ])
      // One edge's list: most list the same, and fifty would take long.
      const listing = head && readable(await shelf.listing(head.edge))
      return [
        ...(listing?.listed ?? []).map(({ uri }) => uri),
        ...(inventory?.instances ?? []).map(({ instanceId }) => instanceId),
        ...holds.flatMap(({ uris }) => uris),
      ]
    }
    default:
      return live satisfies never
  }
}
