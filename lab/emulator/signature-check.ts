import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface KnownKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface SignedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const longestSkewMs = 300_000
const form =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

/**
 * Signature Version 4 as AWS checks it for `execute-api`
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html): date within 5
 * minutes, region and service, host and every `x-amz-*` header signed, the body's own hash.
 * @returns AWS's words for what is wrong, or undefined
 */
export function signatureFault(
  request: SignedRequest,
  expected: KnownKey & { readonly region: string },
): string | undefined {
  const { headers } = request
  const parts = form.exec(headers.authorization ?? '')
  const date = String(headers['x-amz-date'] ?? '')
  if (!headers.authorization || date === '') return 'Missing Authentication Token'
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', signature = ''] = parts ?? []
  if (accessKeyId !== expected.accessKeyId) return 'The security token included in the request is invalid.'
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (!date.startsWith(day) || !(Math.abs(Date.now() - at) <= longestSkewMs))
    return `Signature expired: ${date} is not within 5 minutes of now`
  const scope = `${day}/${region}/${service}/aws4_request`
  if (region !== expected.region || service !== 'execute-api')
    return `Credential should be scoped to ${expected.region}/execute-api: ${scope}`
  const signed = names.split(';')
  const needed = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))]
  if (needed.some((name) => !signed.includes(name))) return "'Host' or 'x-amz-*' headers are not signed"

  const canonical = [
    request.method,
    // every service but S3 encodes the path, as it came, once more
    request.path.split('/').map(encodeURIComponent).join('/'),
    '',
    ...signed.map(
      (name) =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replaceAll(/ +/g, ' ')}`,
    ),
    '',
    names,
    sha256(request.body),
  ].join('\n')
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce(
    (secret: string | Buffer, step) => hmac(secret, step),
    `AWS4${expected.secretAccessKey}`,
  )
  const matches = timingSafeEqual(hmac(key, text), Buffer.from(signature, 'hex'))
  return matches
    ? undefined
    : 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.'
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
