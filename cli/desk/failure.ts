import * as z from 'zod'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { type ExitCode, exitCodes, Stop } from './exit-codes.ts'
import { quotable } from './format.ts'

const denied = /^(AccessDenied|AccessDeniedException|NotAuthorized|Unauthorized)/

/** Whether AWS refuses the caller an action. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && denied.test(error.name)
}

/** What AWS and its SDK throw, by the beginning of its name, and what to do about it. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [
    /^(CredentialsProviderError|TokenProviderError)/,
    'no AWS credentials: log in, or name a profile with --profile',
  ],
  [
    /^(ExpiredToken|InvalidClientTokenId|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch)/,
    'AWS does not take these credentials: log in anew',
  ],
  [
    denied,
    "not allowed: have the policy of the stack's output ReadPolicyArn attached, or OperatePolicyArn for commands and dead letters",
  ],
  [/^(TimeoutError|NetworkingError|AbortError)/, 'AWS does not answer: look at the network, and at --region'],
  [
    /^(QueueDoesNotExist|ResourceNotFoundException)/,
    'the deployment is not whole, or in another account: look at --profile and --region',
  ],
]
const networkCodes = [
  ...['ENOTFOUND', 'ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH'],
  ...['ENETUNREACH', 'ENETDOWN', 'EPIPE'],
]

const passing = /^(TimeoutError|NetworkingError|Throttling|ProvisionedThroughput|RequestLimit|RequestThrottl)/

const answered = z.object({ $metadata: z.object({ httpStatusCode: z.int() }) })

/** Whether nobody answered, or AWS had no time to, so that the same may go well a moment later. */
export function isUnreached(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const status = answered.safeParse(error).data?.$metadata.httpStatusCode ?? 0
  return passing.test(error.name) || status >= 500 || networkCodes.includes(codeOf(error))
}

/** Of an answer without the words of an AWS service, such as a proxy's. */
function statusOf(error: Error): number | undefined {
  if (!/^(Unknown|SyntaxError)$/.test(error.name)) return undefined
  return answered.safeParse(error).data?.$metadata.httpStatusCode
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}

interface Failure {
  readonly line: string
  readonly exitCode: ExitCode
}

/** The SDK's, of a region that can be part of no host's name. */
const noRegion = /^Region not accepted/

/** One line that says what to do, whatever somebody wrote into it. A defect of ours keeps its own words. */
export function failureOf(error: unknown): Failure {
  const { line, exitCode } = inWords(error)
  return { line: quotable(line), exitCode }
}

function inWords(error: unknown): Failure {
  if (error instanceof Stop) return { line: error.message, exitCode: error.exitCode }
  if (!(error instanceof Error)) return { line: String(error), exitCode: exitCodes.error }
  const exitCode = noRegion.test(error.message) ? exitCodes.usage : exitCodes.error
  const message = error.message.replace(/\s+/g, ' ').trim()
  const remedy = remedies.find(([name]) => name.test(error.name))?.[1] ?? otherRemedy(error)
  return { line: remedy === undefined ? `${error.name}: ${message}` : `${remedy} (${message})`, exitCode }
}

function otherRemedy(error: Error): string | undefined {
  const status = statusOf(error)
  if (status !== undefined)
    return `HTTP status ${status} without a word of AWS: look at --region, AWS_ENDPOINT_URL and proxies, or try again later`
  if (networkCodes.includes(codeOf(error))) return 'AWS is not reached: look at the network, and at --region'
  if (codeOf(error) === 'ERR_INVALID_URL')
    return 'AWS_ENDPOINT_URL, or an endpoint_url of the AWS configuration, is no URL: leave it out, or write one such as https://127.0.0.1:4566'
  if (/^Region is missing/.test(error.message)) return 'no region: name one with --region, or set AWS_REGION'
  if (noRegion.test(error.message))
    return 'no region has such a name: write one such as eu-central-1 with --region, in AWS_REGION, or in the profile or context'
  if (error instanceof UnexpectedAnswer)
    return 'what is stored can not be read: kdc may be older than the deployment'
  return undefined
}
