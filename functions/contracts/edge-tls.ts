import * as z from 'zod'

export const parameterName = z
  .string()
  .regex(/^(\/[A-Za-z0-9_.-]+)+$/, 'must be like /a/b, without a slash at its end')

/**
 * The SSM parameters with our side of TLS to the edges, e.g. `{ "caParameter": "/control/ca",
 * "certificateParameter": "/control/client", "keyParameter": "/control/client-key" }`. With a CA alone only
 * the edge proves who it is.
 */
export const edgeTlsParameters = z
  .strictObject({
    /** PEM, one CA or several: no other is trusted */
    caParameter: parameterName,
    /** PEM, with the CAs in between if there are any */
    certificateParameter: parameterName.optional(),
    /** PEM and not encrypted; the parameter is a SecureString */
    keyParameter: parameterName.optional(),
  })
  .refine(
    ({ certificateParameter, keyParameter }) =>
      (certificateParameter === undefined) === (keyParameter === undefined),
    'needs certificateParameter and keyParameter together, or neither',
  )
export type EdgeTlsParameters = z.output<typeof edgeTlsParameters>

/** @returns the names of all of them */
export function namesOf(parameters: EdgeTlsParameters): string[] {
  const { caParameter, certificateParameter, keyParameter } = parameters
  return [caParameter, certificateParameter, keyParameter].filter((name) => name !== undefined)
}

/** An advanced parameter has 8 KB; nothing that is longer comes from one. */
const pem = z.string().startsWith('-----BEGIN ').max(8192)

/** What these parameters hold. It goes to TLS, and to the relay's invocation, and nowhere else. */
export const edgeTls = z.strictObject({
  ca: pem,
  client: z.strictObject({ certificate: pem, key: pem }).exactOptional(),
})
export type EdgeTls = z.output<typeof edgeTls>
