import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DynamoDBClient, paginateListTables, paginateScan } from '@aws-sdk/client-dynamodb'
import { LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda'
import {
  DescribeExecutionCommand,
  paginateGetExecutionHistory,
  paginateListExecutions,
  SFNClient,
} from '@aws-sdk/client-sfn'
import { paginateListQueues, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { paginateGetParametersByPath, SSMClient } from '@aws-sdk/client-ssm'
import { SignatureV4 } from '@smithy/signature-v4'
import * as z from 'zod'
import type { World } from '../../lab/world/world.ts'
import { output } from '../../lab/world/world-aws.ts'

/** Something that people or programs can read: what kind it is, its name, and its text. */
export interface Readable {
  readonly kind:
    | 'template'
    | 'log'
    | 'event'
    | 'execution'
    | 'row'
    | 'message'
    | 'function'
    | 'parameter'
    | 'file'
  readonly name: string
  readonly text: string
}

/**
 * Every form in which a text holds the secret: as it is, URL-encoded, in base64 at each of the three ways
 * that it can stand in a longer text, and its SHA-256, with which an edge's configuration could be tried out.
 * @returns form → the text to look for
 */
export function formsOf(secret: string): ReadonlyMap<string, string> {
  const base64 = [0, 1, 2].map((before): [string, string] => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)])
    const whole = bytes.toString('base64')
    // What stands around it is part of the first and the last character.
    return [`base64+${before}`, whole.slice(Math.ceil((before * 4) / 3), Math.floor((bytes.length * 4) / 3))]
  })
  return new Map([
    ['plain', secret],
    ['URL-encoded', encodeURIComponent(secret)],
    ...base64,
    ['sha256', createHash('sha256').update(secret).digest('hex')],
  ])
}

/** @returns one line for each readable that has a secret in it: kind, name, which secret, in which form. */
export function leaksIn(
  readables: readonly Readable[],
  secrets: Readonly<Record<string, string>>,
): readonly string[] {
  const forms = Object.entries(secrets).flatMap(([name, secret]) =>
    [...formsOf(secret)].map(([form, text]) => ({ what: `${name}, ${form}`, text })),
  )
  return readables.flatMap(({ kind, name, text }) =>
    forms.filter((form) => text.includes(form.text)).map(({ what }) => `${kind} ${name}: ${what}`),
  )
}

/** Everything that the app's deployment, its functions and the lab have left behind in this world. */
export async function everythingIn(world: World): Promise<readonly Readable[]> {
  const parts = await Promise.all([
    templates(world),
    logsOf(world),
    executions(world),
    rows(world),
    messages(world),
    functions(world),
    parameters(world),
  ])
  const events = world.controlEvents.all().map(
    (event): Readable => ({
      kind: 'event',
      name: event.type,
      text: JSON.stringify(event),
    }),
  )
  return [...parts.flat(), ...events, ...filesIn(world.runDir)]
}

async function templates(world: World): Promise<Readable[]> {
  const ask = async (action: string) =>
    query(world, 'cloudformation', new URLSearchParams({ Action: action, StackName: 'dispatcher-control' }))
  return [
    { kind: 'template', name: 'as deployed', text: await ask('GetTemplate') },
    { kind: 'template', name: 'its stack', text: await ask('DescribeStacks') },
    { kind: 'template', name: 'its events', text: await ask('DescribeStackEvents') },
  ]
}

const logGroups = z.object({ logGroups: z.array(z.object({ logGroupName: z.string() })) })
const logEvents = z.object({
  events: z.array(z.object({ message: z.string() })),
  nextToken: z.string().optional(),
})

export async function logsOf(world: World): Promise<Readable[]> {
  const ask = async (action: string, input: object) =>
    JSON.parse(await query(world, 'logs', JSON.stringify(input), `Logs_20140328.${action}`))
  const found = logGroups.parse(await ask('DescribeLogGroups', {}))
  return Promise.all(
    found.logGroups.map(async ({ logGroupName }) => {
      const lines: string[] = []
      let nextToken: string | undefined
      do {
        const page = logEvents.parse(await ask('FilterLogEvents', { logGroupName, nextToken }))
        lines.push(...page.events.map(({ message }) => message))
        nextToken = page.nextToken
      } while (nextToken !== undefined)
      return { kind: 'log' as const, name: logGroupName, text: lines.join('\n') }
    }),
  )
}

async function executions(world: World): Promise<Readable[]> {
  const client = new SFNClient(world.emulator.client)
  const stateMachineArn = output(world.outputs, 'StateMachineArn')
  const found: Readable[] = []
  for await (const { executions = [] } of paginateListExecutions({ client }, { stateMachineArn }))
    for (const { executionArn, name = '' } of executions) {
      const texts = [JSON.stringify(await client.send(new DescribeExecutionCommand({ executionArn })))]
      for await (const { events } of paginateGetExecutionHistory(
        { client },
        { executionArn, includeExecutionData: true },
      ))
        texts.push(JSON.stringify(events))
      found.push({ kind: 'execution', name, text: texts.join('\n') })
    }
  client.destroy()
  return found
}

async function rows(world: World): Promise<Readable[]> {
  const client = new DynamoDBClient(world.emulator.client)
  const found: Readable[] = []
  for await (const { TableNames = [] } of paginateListTables({ client }, {}))
    for (const TableName of TableNames)
      for await (const { Items = [] } of paginateScan({ client }, { TableName }))
        found.push(
          ...Items.map((item): Readable => ({ kind: 'row', name: TableName, text: JSON.stringify(item) })),
        )
  client.destroy()
  return found
}

/** What is in the queues, the dead-letter queues among them, and stays there. */
async function messages(world: World): Promise<Readable[]> {
  const client = new SQSClient(world.emulator.client)
  const found: Readable[] = []
  for await (const { QueueUrls = [] } of paginateListQueues({ client }, {}))
    for (const QueueUrl of QueueUrls) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          VisibilityTimeout: 0,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['All'],
        }),
      )
      found.push(
        ...Messages.map(
          (text): Readable => ({
            kind: 'message',
            name: QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1),
            text: JSON.stringify(text),
          }),
        ),
      )
    }
  client.destroy()
  return found
}

async function functions(world: World): Promise<Readable[]> {
  const client = new LambdaClient(world.emulator.client)
  const found: Readable[] = []
  for await (const { Functions = [] } of paginateListFunctions({ client }, {}))
    found.push(
      ...Functions.map(
        (its): Readable => ({
          kind: 'function',
          name: its.FunctionName ?? '',
          text: JSON.stringify(its),
        }),
      ),
    )
  client.destroy()
  return found
}

/** As who may decrypt sees them: where a secret should be, it must be found. */
async function parameters(world: World): Promise<Readable[]> {
  const client = new SSMClient(world.emulator.client)
  const found: Readable[] = []
  const all = { Path: '/', Recursive: true, WithDecryption: true }
  for await (const { Parameters = [] } of paginateGetParametersByPath({ client }, all))
    found.push(
      ...Parameters.map(
        ({ Name = '', Type = '', Value = '' }): Readable => ({
          kind: 'parameter',
          name: `${Type} ${Name}`,
          text: Value,
        }),
      ),
    )
  client.destroy()
  return found
}

/** Each file of the run: the synthesized app and its assets, every program's log and configuration. */
function filesIn(folder: string): Readable[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return { kind: 'file', name: path.slice(folder.length + 1), text: readFileSync(path, 'latin1') }
    })
}

/** One signed request to an API for which the project has no client. @throws Error with what was answered */
async function query(
  { emulator }: World,
  service: string,
  body: string | URLSearchParams,
  target?: string,
): Promise<string> {
  const { endpoint, region, credentials } = emulator.client
  const { sha256 } = new SSMClient(emulator.client).config
  const { host, hostname, protocol } = new URL(endpoint)
  const type = target === undefined ? 'application/x-www-form-urlencoded' : 'application/x-amz-json-1.1'
  const signed = await new SignatureV4({ service, region, credentials, sha256 }).sign({
    method: 'POST',
    protocol,
    hostname,
    path: '/',
    headers: { host, 'content-type': type, ...(target !== undefined && { 'x-amz-target': target }) },
    body: String(body),
  })
  const { host: _, ...headers } = signed.headers
  const response = await fetch(endpoint, { method: 'POST', headers, body: String(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${service} answered ${response.status}: ${text.slice(0, 300)}`)
  return text
}
