import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/**
 * What an API call answers instead of a result: the code and message that an SDK shows, and the HTTP status.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status: number) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** A value that becomes XML: arrays repeat their element, undefined is left out. */
export type Xml =
  | string
  | number
  | boolean
  | Date
  | undefined
  | readonly Xml[]
  | { readonly [tag: string]: Xml }

/** A request's parameters, as `Name`, `List.member.1`, `Filter.1.Value.2`. */
export class Parameters {
  readonly #values: URLSearchParams

  constructor(values: URLSearchParams) {
    this.#values = values
  }

  optional(name: string): string | undefined {
    return this.#values.get(name) ?? undefined
  }

  /** @throws ApiError ValidationError when it is missing */
  required(name: string): string {
    const value = this.optional(name)
    if (value === undefined) throw new ApiError('ValidationError', `${name} is missing`, 400)
    return value
  }

  /** `prefix.1`, `prefix.2`, … up to the first that is missing. */
  list(prefix: string): readonly string[] {
    const found: string[] = []
    for (let n = 1; ; n++) {
      const value = this.optional(`${prefix}.${n}`)
      if (value === undefined) return found
      found.push(value)
    }
  }
}

/**
 * One API of the AWS Query protocol: its version tells its calls apart from the other one's on the same
 * server.
 */
export interface QueryApi {
  readonly version: string
  readonly call: (action: string, parameters: Parameters) => Xml | Promise<Xml>
  /** Wraps a result, or an error, as this API does. */
  readonly result: (action: string, result: Xml, requestId: string) => string
  readonly error: (error: ApiError, requestId: string) => string
}

/** Auto Scaling's way to wrap answers. */
export const autoScalingAnswers: Pick<QueryApi, 'version' | 'result' | 'error'> = {
  version: '2011-01-01',
  result: (action, result, requestId) =>
    element(
      `${action}Response`,
      { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } },
      'http://autoscaling.amazonaws.com/doc/2011-01-01/',
    ),
  error: (error, requestId) =>
    element(
      'ErrorResponse',
      {
        Error: {
          Type: error.status < 500 ? 'Sender' : 'Receiver',
          Code: error.code,
          Message: error.message,
        },
        RequestId: requestId,
      },
      'http://autoscaling.amazonaws.com/doc/2011-01-01/',
    ),
}

/** EC2's way to wrap answers. */
export const ec2Answers: Pick<QueryApi, 'version' | 'result' | 'error'> = {
  version: '2016-11-15',
  result: (action, result, requestId) =>
    element(
      `${action}Response`,
      { requestId, ...(isElements(result) ? result : {}) },
      'http://ec2.amazonaws.com/doc/2016-11-15/',
    ),
  error: (error, requestId) =>
    element('Response', {
      Errors: { Error: { Code: error.code, Message: error.message } },
      RequestID: requestId,
    }),
}

/** Serves the APIs on a free port of loopback. */
export async function serveQueryApis(
  apis: readonly QueryApi[],
): Promise<{ endpoint: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => void answer(apis, request, response))
  const port = await listen(server)
  return { endpoint: `http://127.0.0.1:${port}`, close: () => closeServer(server) }
}

async function answer(
  apis: readonly QueryApi[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomUUID()
  const form = new URLSearchParams(await readBody(request))
  const api = apis.find(({ version }) => version === form.get('Version'))
  const action = form.get('Action')
  if (api === undefined || action === null) {
    response.writeHead(400).end(`no API of version ${form.get('Version')} or no Action`)
    return
  }
  const send = (status: number, body: string) =>
    response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }).end(body)
  try {
    send(200, api.result(action, await api.call(action, new Parameters(form)), requestId))
  } catch (cause) {
    const error = cause instanceof ApiError ? cause : new ApiError('InternalFailure', String(cause), 500)
    send(error.status, api.error(error, requestId))
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

function element(tag: string, content: Xml, namespace?: string): string {
  const attribute = namespace === undefined ? '' : ` xmlns="${namespace}"`
  return `<${tag}${attribute}>${body(content)}</${tag}>`
}

function body(content: Xml): string {
  if (content === undefined) return ''
  if (content instanceof Date) return content.toISOString()
  if (!isElements(content)) return escapeText(String(content))
  return Object.entries(content)
    .flatMap(([tag, value]) =>
      (Array.isArray(value) ? value : [value]).map((one: Xml) => [tag, one] as const),
    )
    .filter(([, value]) => value !== undefined)
    .map(([tag, value]) => element(tag, value))
    .join('')
}

function isElements(content: Xml): content is { readonly [tag: string]: Xml } {
  return typeof content === 'object' && !Array.isArray(content) && !(content instanceof Date)
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function listen(server: Server): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') reject(new Error('the server has no port'))
    else resolve(address.port)
  })
  return promise
}

function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  return promise
}
