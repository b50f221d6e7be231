import { SignatureV4 } from '@smithy/signature-v4'
import type { SignRequest } from '../contracts/rpc.ts'

/** Of any SDK client's own configuration. */
export type SigningConfig = Pick<
  ConstructorParameters<typeof SignatureV4>[0],
  'credentials' | 'region' | 'sha256'
>

/** Signature Version 4 for API Gateway (`execute-api`), over every header, the secret's too, and the body. */
export function createRequestSigner({ credentials, region, sha256 }: SigningConfig): SignRequest {
  const signer = new SignatureV4({ service: 'execute-api', credentials, region, sha256 })
  return async ({ url, headers, body }) => {
    const signed = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { ...headers, host: url.host },
      body,
    })
    return signed.headers
  }
}
