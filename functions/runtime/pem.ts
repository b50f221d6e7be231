import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { PemReader } from '../aws/edge-tls.ts'

export const pem: PemReader = {
  certificates(text) {
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    const readable = blocks.every((block) => orUndefined(() => new X509Certificate(block)))
    return blocks.length > 0 && readable ? `${blocks.join('\n')}\n` : undefined
  },
  key: (text) =>
    orUndefined(() => createPrivateKey(text).export({ type: 'pkcs8', format: 'pem' }).toString()),
  belong: (certificates, key) => new X509Certificate(certificates).checkPrivateKey(createPrivateKey(key)),
}

/** OpenSSL's errors hold nothing that helps. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
