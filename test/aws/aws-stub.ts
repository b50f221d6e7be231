import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'

/** The fields of requests that tests look at. */
type Field =
  | 'AlarmName'
  | 'AlarmNames'
  | 'Entries'
  | 'ExpressionAttributeValues'
  | 'input'
  | 'Key'
  | 'kind'
  | 'MessageAttributes'
  | 'MessageBody'
  | 'MessageDeduplicationId'
  | 'MessageGroupId'
  | 'NextToken'
  | 'ExclusiveStartKey'
  | 'QueueUrl'
  | 'ReceiptHandle'
  | 'TransactItems'
  | 'VisibilityTimeout'

export interface AwsRequest {
  /** e.g. `GetParametersByPath`; `Invoke` for one of a Lambda function, whose payload is the body */
  readonly operation: string
  readonly body: Readonly<Partial<Record<Field, unknown>>>
}
/** An answer, an error of the service, or `silence`: a connection that stays open and says nothing. */
export type AwsAnswer =
  | { readonly result: Readonly<Record<string, unknown>> }
  | { readonly error: string; readonly message: string; readonly [field: string]: unknown }
  | 'silence'

export interface AwsStub {
  readonly requests: readonly AwsRequest[]
  /** what a client is made with, so that it talks to the stub; one try, no waiting */
  readonly client: {
    readonly endpoint: string
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
    readonly maxAttempts: number
  }
}

/** Answers the AWS JSON protocols on loopback, as `answer` says, until the test is over. */
export async function awsStub(answer: (request: AwsRequest) => AwsAnswer): Promise<AwsStub> {
  const requests: AwsRequest[] = []
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
    const invoked = incoming.url?.endsWith('/invocations') === true
    const target = invoked ? 'Lambda.Invoke' : String(incoming.headers['x-amz-target'])
    const body: AwsRequest['body'] = JSON.parse(Buffer.concat(chunks).toString())
    const request = { operation: target.slice(target.indexOf('.') + 1), body }
    requests.push(request)
    const reply = answer(request)
    if (reply === 'silence') return
    response.setHeader('content-type', 'application/x-amz-json-1.0')
    if ('result' in reply) response.writeHead(invoked ? 202 : 200).end(JSON.stringify(reply.result))
    else {
      const { error, ...fields } = reply
      response.writeHead(400).end(JSON.stringify({ __type: error, ...fields }))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    requests,
    client: {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'stub', secretAccessKey: 'stub' },
      maxAttempts: 1,
    },
  }
}

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})
