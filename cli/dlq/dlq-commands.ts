import type { Command } from 'commander'
import type { Desk } from '../desk/desk.ts'
import { type OutputOptions, output, type Reached } from '../desk/options.ts'
import { dropLetters, type LetterOptions, listLetters, redriveLetters, showOneLetter } from './dlq.ts'

export function addDeadLetters(program: Command, desk: Desk, reached: Reached): void {
  const dlq = program
    .command('dlq')
    .description('messages that were refused, or failed in all of their tries')
  dlq
    .command('ls')
    .description('all of them')
    .addOption(output())
    .action((options: OutputOptions) => reached((deployed) => listLetters(desk, deployed, options)))
  dlq
    .command('show')
    .argument('<id>', 'or its beginning')
    .description('one of them, with its body')
    .addOption(output())
    .action((id: string, options: OutputOptions) =>
      reached((deployed) => showOneLetter(desk, deployed, id, options)),
    )
  meant(dlq.command('redrive'))
    .description('sends them anew to the queue that they came from, in your own name')
    .action((ids: string[], options: LetterOptions) => reached(redriveLetters(desk, ids, options)))
  meant(dlq.command('drop'))
    .description('deletes them')
    .action((ids: string[], options: LetterOptions) => reached(dropLetters(desk, ids, options)))
}

function meant(command: Command): Command {
  return command
    .argument('[id...]', 'or its beginning')
    .option('--failed', 'all that failed in all of their tries')
    .option('--refused', 'all that were refused')
    .option('-y, --yes', 'without asking')
}
