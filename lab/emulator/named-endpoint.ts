import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  paginateListFunctions,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'
import { type Emulator, type EmulatorOptions, emulatorAt } from './emulator.ts'
import { NoRoleChecks, slowness } from './localstack.ts'

const region = 'eu-central-1'
const accountId = '123456789012'

/** Nothing that could be LocalStack answers at the address that the user named. */
export class NoSuchEndpoint extends Error {
  override readonly name = 'NoSuchEndpoint'
}

/**
 * Uses a LocalStack that runs already; the lab neither starts nor stops it, and what it deploys stays there.
 * It must run Node 24 functions (`nodejs24.x`), accept `aws.*` events, and its functions must reach this
 * machine's loopback: on Linux a container with `--network host` and `LAMBDA_DOCKER_FLAGS="--network host"`.
 * What a handler must know beside its template (where the lab's Auto Scaling is) is written into each
 * function after the deployment.
 * @throws NoSuchEndpoint, NoRoleChecks
 */
export async function connectTo(address: URL, options: EmulatorOptions): Promise<Emulator> {
  if (options.auth === true) throw new NoRoleChecks('LocalStack does not check roles: leave `auth` out')
  const endpoint = address.origin
  try {
    const health = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(5000) })
    await health.body?.cancel()
    if (!health.ok) throw new NoSuchEndpoint(`${endpoint}/_localstack/health answers ${health.status}`)
  } catch (error) {
    if (error instanceof NoSuchEndpoint) throw error
    throw new NoSuchEndpoint(`no LocalStack answers at ${endpoint}: start yours, or leave the address out`, {
      cause: error,
    })
  }
  const emulator = emulatorAt({
    endpoint,
    region,
    accountId,
    slowness,
    accessKeyId: accountId,
    stop: () => Promise.resolve(),
  })
  const { handlerEnvironment = {} } = options
  return { ...emulator, deployed: (stacks) => addToFunctions(emulator, stacks, handlerEnvironment) }
}

/**
 * A function is known by its name, which CloudFormation begins with the stack's: the user may have others
 * there.
 */
async function addToFunctions(
  { client }: Emulator,
  stacks: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const lambda = new LambdaClient(client)
  try {
    for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {}))
      for (const { FunctionName } of Functions) {
        if (!stacks.some((stack) => FunctionName?.startsWith(`${stack}-`))) continue
        const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))
        await lambda.send(
          new UpdateFunctionConfigurationCommand({
            FunctionName,
            Environment: { Variables: { ...Environment?.Variables, ...environment } },
          }),
        )
        await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60 }, { FunctionName })
      }
  } finally {
    lambda.destroy()
  }
}
