import { blocksOf, commandsIn, documents, type Span, spansOf } from './documented.ts'

/** How a command of a sentence is run, where it is not run like any other. */
interface Way {
  /** what there has to be: its words in capitals are variables, which this may set */
  readonly before?: string
  /** it in the form in which a script can run it: asked, it gives an answer; what runs for ever is ended */
  readonly run?: string
  /** the exit code that the documents have for it; left out: 0 */
  readonly code?: number
}

/** A dead letter of each kind, whose id is in ID then. */
const deadLetters = `
send() { aws sqs send-message --queue-url "$1" --message-group-id group --message-deduplication-id "$2" --message-body "$3"; }
letterOf() { kdc dlq ls -o json | node -p "JSON.parse(fs.readFileSync(0)).find(({ was }) => was === '$1')?.id ?? ''"; }
untilLetter() { for N in {1..60}; do ID=$(letterOf "$1"); if [ -n "$ID" ]; then return; fi; sleep 1; done; return 1; }
refused() { send "$(out CommandQueueUrl)" "$1" '{"version":1,"id":"'$1'","command":"drain"}'; untilLetter refused; }
failed() { send "$(out CommandDeadLetterQueueUrl)" "$1" '{"version":1,"id":"'$1'","command":"unfreeze","requestedBy":"alice"}'; untilLetter failed; }
`
/** Each run of settle reads the list of edges anew: the lab's parameters tell nobody of an edit. */
const untilEdge = (edge: string, state: string) => `
IS=
for N in {1..30}; do
  if kdc get edges | grep -Eq '^${edge} +${state}'; then IS=${state}; break; fi
  kdc may-restart edge-a > /dev/null || true
done
[ "$IS" = ${state} ]`
/** Auto Scaling takes it away, and it waits at its hook. */
const terminating = (id: string) => `
aws autoscaling terminate-instance-in-auto-scaling-group --instance-id ${id} --no-should-decrement-desired-capacity
IS=
for N in {1..30}; do
  if aws autoscaling describe-auto-scaling-instances --instance-ids ${id} | grep Terminating:Wait; then IS=waiting; break; fi; sleep 0.5
done
[ "$IS" = waiting ]`
const yes = (command: string) => `${command} --yes`

const ways: Readonly<Record<string, Way>> = {
  'kdc get command ID': { before: 'ID=change-4711' },
  'kdc watch': { run: 'timeout -s INT --preserve-status 6 kdc watch', code: 130 },
  'kdc watch TARGET': {
    before: 'kdc drain "$TARGET" -m "$WHY"',
    run: 'timeout -s INT --preserve-status 6 kdc watch "$TARGET"',
    code: 130,
  },
  'kdc mcp': { run: `echo '{"jsonrpc":"2.0","id":1,"method":"ping"}' | kdc mcp` },
  // One that is configured; below is one that is not.
  'kdc release EDGE -m WHY': { code: 3 },
  'kdc dlq show ID': { before: `${deadLetters}refused bad-1` },
  'kdc dlq redrive ID…': { before: 'failed bad-2', run: yes('kdc dlq redrive "$ID"') },
  'kdc dlq drop ID…': { before: 'refused bad-3', run: yes('kdc dlq drop "$ID"') },
  'kdc dlq redrive --failed': { before: 'failed bad-4', run: yes('kdc dlq redrive --failed') },
  'kdc dlq drop --refused': { before: 'refused bad-5', run: yes('kdc dlq drop --refused') },
  'kdc schema settings > settings.schema.json': {
    run: 'kdc schema settings | tee "$FOLDER/settings.schema.json"',
  },
  'kdc history --sender ID': { before: 'ID=$(aws sts get-caller-identity --query UserId --output text)' },
  'aws autoscaling record-lifecycle-action-heartbeat --auto-scaling-group-name G --lifecycle-hook-name H --instance-id I':
    { before: terminating('$I') },
  'aws autoscaling terminate-instance-in-auto-scaling-group --instance-id I --no-should-decrement-desired-capacity':
    { before: 'I=$J' },
  'kdc reload edge-c --dry-run': { before: untilEdge('edge-c', 'unreadable') },
  'kdc release EDGE -m WHY --dry-run': {
    before: `EDGE=edge-c; aws ssm delete-parameter --name /dispatcher-control/edges/edge-c${untilEdge('edge-c', 'removed')}`,
    run: `kdc release "$EDGE" -m "$WHY" --dry-run && ${yes('kdc release "$EDGE" -m "$WHY"')}`,
  },
  'aws sqs send-message --queue-url $(out LifecycleEventQueueUrl) --message-body file://event.json': {
    before:
      'sed "s/i-1234567890abcdef0/$INSTANCE/" events/lifecycle-terminate-scale-in.json > "$FOLDER/event.json"',
    run: 'aws sqs send-message --queue-url $(out LifecycleEventQueueUrl) --message-body "file://$FOLDER/event.json"',
  },
  "kdc drain $INSTANCE -m 'its event was lost' --wait": { before: 'INSTANCE=$K' },
  'aws autoscaling complete-lifecycle-action --auto-scaling-group-name $GROUP --lifecycle-hook-name $HOOK --instance-id $INSTANCE --lifecycle-action-result CONTINUE':
    { before: terminating('$INSTANCE') },
}

/** A command of a sentence, and how it is run. */
export interface Step {
  /** file and line */
  readonly where: string
  readonly written: string
  /** what a shell runs */
  readonly text: string
}

const bare = (text: string) => text.replace(/^(?:npx|time) /, '')
/** Commands for the edge itself: where somebody follows `kamailio/README.md` they are run. */
const ofAnEdge = /^(?:curl|kamcmd) /

/** Commands of sentences for the edge itself, each once. */
export function onTheEdge(): Span[] {
  return once(documents.flatMap(spansOf)).filter(({ text }) => ofAnEdge.test(text))
}

/** Every other command of a sentence, once, unless a block that is run has it already. */
export function onTheLab(): Step[] {
  const inBlocks = documents
    .flatMap(blocksOf)
    .filter(({ exempt }) => exempt === undefined)
    .flatMap(commandsIn)
  // The table of commands first: the runbook's sentences end instances.
  return once(['docs/commands.md', 'README.md', 'docs/operations.md'].flatMap(spansOf))
    .filter(({ text, exempt }) => exempt === undefined && !ofAnEdge.test(text))
    .filter(({ text }) => !inBlocks.map(bare).includes(bare(text)))
    .map(({ where, text }) => ({ where, written: text, text: asStep(text) }))
}

function once(spans: readonly Span[]): Span[] {
  const first = new Map<string, Span>()
  for (const span of spans) if (!first.has(bare(span.text))) first.set(bare(span.text), span)
  return [...first.values()]
}

function asStep(text: string): string {
  const { before = '', run = withVariables(text), code } = ways[bare(text)] ?? {}
  const isNamed = /^(?:(\w+)=)?\$\(/.exec(text)
  if (isNamed) return `V=${text.replace(/^\w+=/, '')}; [ -n "$V" ] && [ "$V" != None ]`
  return code === undefined
    ? `${before}\n${run}`
    : `${before}\nCODE=0; ${run} || CODE=$?; [ $CODE = ${code} ]`
}

/** Words in capitals stand for what is the reader's: variables of the shell that it is run in. */
function withVariables(text: string): string {
  return text
    .replace('TARGET…', 'TARGET OTHER')
    .replace('…', '')
    .replace(/\[(\w+)\]/, '$1')
    .replaceAll(/(?<= )(?:TARGET|OTHER|WHY|EDGE|NAME|ID|G|H|I)(?= |$)/g, '"$$$&"')
}

/** Ways of commands that no document names any more. */
export function needlessWays(): string[] {
  const named = new Set(documents.flatMap(spansOf).map(({ text }) => bare(text)))
  return Object.keys(ways).filter((text) => !named.has(text))
}
