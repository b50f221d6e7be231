import type { EdgeTls } from '../contracts/edge-tls.ts'

/**
 * Which side does not trust the other, and what to do.
 * @param host what the edge's url names
 * @param tls ours, undefined where none is configured
 * @returns undefined for an error that is no question of trust
 */
export function mistrust(cause: unknown, host: string, tls: EdgeTls | undefined): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const alert = /^ERR_SSL_.*_ALERT_([A-Z_]+)$/.exec(code)?.[1]
  const reason = ofEdge(code, host, tls) ?? ofUs(alert ?? '', tls)
  if (reason !== undefined) return `${reason} (${alert === undefined ? code : `alert ${alert}`})`
  // OpenSSL's own words of a PEM that it can't read are left out, as is what it read.
  if (code.startsWith('ERR_OSSL_')) return `our CA, client certificate or key can not be used (${code})`
  return undefined
}

/**
 * Why an edge's certificate is refused: Node's codes,
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes.
 */
function ofEdge(code: string, host: string, tls: EdgeTls | undefined): string | undefined {
  if (code === 'CERT_HAS_EXPIRED')
    return "the edge's certificate, or one of a CA above it, has expired: renew it on the edge"
  if (code === 'CERT_NOT_YET_VALID')
    return "the edge's certificate, or one of a CA above it, is not valid yet: compare the clocks"
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `the edge's certificate names another host than ${host}: give it that as a subject alternative name, or the edge's url the name that it has`
  if (!unsigned.has(code)) return undefined
  return tls === undefined
    ? "the edge's certificate is signed by no CA that is known here: name its CA with edgeTls.caParameter"
    : "the edge's certificate is not signed by our CA: put the CA that signed it into the parameter of edgeTls.caParameter"
}

const unsigned = new Set([
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * Why an edge refuses us: the alert that Kamailio (5.6 and 6.1 alike) sends before it closes. With TLS 1.3
 * that is CERTIFICATE_REQUIRED where a certificate is missing, with TLS 1.2 HANDSHAKE_FAILURE, which may have
 * other reasons.
 */
function ofUs(alert: string, tls: EdgeTls | undefined): string | undefined {
  const renew = 'renew the parameters of edgeTls.certificateParameter and keyParameter'
  if (alert === 'CERTIFICATE_REQUIRED' || alert === 'HANDSHAKE_FAILURE') {
    if (tls?.client === undefined)
      return 'the edge wants a client certificate, and none is configured: name one with edgeTls.certificateParameter and keyParameter'
    return alert === 'HANDSHAKE_FAILURE'
      ? 'the edge refused the TLS handshake: compare its TLS version, its ciphers and the kind of our key'
      : 'the edge saw no client certificate that it could use'
  }
  if (alert === 'CERTIFICATE_EXPIRED') return `our client certificate has expired: ${renew}`
  if (alert === 'UNKNOWN_CA')
    return "our client certificate is not signed by a CA that the edge trusts: compare the edge's ca_list"
  if (alert === 'CERTIFICATE_REVOKED') return `our client certificate is revoked: ${renew}`
  return refusals.has(alert) ? `the edge refused our client certificate: ${renew}` : undefined
}

const refusals = new Set([
  'ACCESS_DENIED',
  'BAD_CERTIFICATE',
  'CERTIFICATE_UNKNOWN',
  'DECRYPT_ERROR',
  'UNSUPPORTED_CERTIFICATE',
])
