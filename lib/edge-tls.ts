import * as z from 'zod'
import { type EdgeTlsParameters, edgeTlsParameters } from '../functions/contracts/edge-tls.ts'
import type { EdgeAccess } from './edge-access.ts'

/**
 * Names of the SSM parameters with our side of TLS to the edges. What they hold is read anew after a
 * rotation.
 */
export interface EdgeTlsProps {
  /** The CAs that the edges' certificates are signed by, in PEM; no other is trusted. A String will do. */
  readonly caParameter: string
  /**
   * The client certificate that the edges ask for, in PEM, with the CAs between it and one that the edges
   * know. A String will do.
   * @default - none: only the edge proves who it is
   */
  readonly certificateParameter?: string
  /**
   * The certificate's key, in PEM and without a passphrase: a SecureString, with the same KMS key as the
   * others. Given if and only if `certificateParameter` is.
   * @default - none
   */
  readonly keyParameter?: string
}

/**
 * @throws Error for one of certificate and key alone, a name that is none, or a way to the edges that takes
 * no TLS of ours
 */
export function checkedEdgeTls(
  props: EdgeTlsProps | undefined,
  { refusesEdgeTls }: EdgeAccess,
): EdgeTlsParameters | undefined {
  if (props === undefined) return undefined
  if (refusesEdgeTls !== undefined) throw new Error(refusesEdgeTls)
  const parsed = edgeTlsParameters.safeParse(props)
  if (parsed.success) return parsed.data
  throw new Error(`edgeTls is wrong:\n${z.prettifyError(parsed.error)}`)
}
