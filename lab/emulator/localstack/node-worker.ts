/**
 * Runs one Lambda handler for node_executor.py: one invocation per line of standard input, one line per
 * answer on the descriptor that is its argument. What the handler prints stays on standard output.
 */
import { existsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

interface Invocation {
  readonly 'invoke-id': string
  readonly 'invoked-function-arn': string
  readonly 'trace-id': string
  readonly payload: string
}

type Handler = (event: unknown, context: object) => unknown

const answers = Number(process.argv[2])
const {
  _HANDLER: entry = '',
  LAMBDA_TASK_ROOT: root = '',
  AWS_LAMBDA_FUNCTION_TIMEOUT: timeout,
  AWS_LAMBDA_FUNCTION_NAME: functionName,
  AWS_LAMBDA_FUNCTION_VERSION: functionVersion,
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memoryLimitInMB,
  AWS_LAMBDA_LOG_GROUP_NAME: logGroupName,
  AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
} = process.env

function answer(
  reply: { result: string } | { errorType: string; errorMessage: string; trace: string[] },
): void {
  writeSync(answers, `${JSON.stringify(reply)}\n`)
}

function fail(thrown: unknown, errorType?: string): void {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  answer({
    errorType: errorType ?? error.name,
    errorMessage: error.message,
    trace: error.stack?.split('\n') ?? [],
  })
}

async function loadHandler(): Promise<Handler> {
  const dot = entry.lastIndexOf('.')
  const [file, name] = [entry.slice(0, dot), entry.slice(dot + 1)]
  const path = ['.mjs', '.cjs', '.js'].map((ending) => join(root, file + ending)).find((it) => existsSync(it))
  if (path === undefined) throw new Error(`there is no module '${file}' in ${root}`)
  const handler: unknown = (await import(pathToFileURL(path).href))[name]
  if (typeof handler !== 'function') throw new Error(`${entry} is undefined or not exported`)
  return (event, context) => Reflect.apply(handler, undefined, [event, context])
}

async function invoke(handler: Handler, line: string): Promise<void> {
  const invocation: Invocation = JSON.parse(line)
  const endsAt = Date.now() + Number(timeout) * 1000
  Object.assign(process.env, { _X_AMZN_TRACE_ID: invocation['trace-id'] })
  const context = {
    awsRequestId: invocation['invoke-id'],
    invokedFunctionArn: invocation['invoked-function-arn'],
    functionName,
    functionVersion,
    memoryLimitInMB,
    logGroupName,
    logStreamName,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, endsAt - Date.now()),
  }
  try {
    const result = await handler(JSON.parse(invocation.payload || '{}'), context)
    answer({ result: JSON.stringify(result ?? null) })
  } catch (error) {
    fail(error)
  }
}

process.on('unhandledRejection', (reason) => {
  fail(reason, 'Runtime.UnhandledPromiseRejection')
  process.exit(128)
})
const loading = loadHandler().catch((error: unknown) =>
  error instanceof Error ? error : new Error(String(error)),
)
for await (const line of createInterface({ input: process.stdin })) {
  const handler = await loading
  if (handler instanceof Error) {
    fail(handler, 'Runtime.ImportModuleError')
    process.exit(1)
  }
  await invoke(handler, line)
}
process.exit(0)
