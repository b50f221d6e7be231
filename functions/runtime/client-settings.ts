/**
 * For every SDK client: four tries with backoff and jitter (the SDK's own), at most 1 s to connect and 5 s to
 * answer. Without `throwOnRequestTimeout` the SDK only warns and waits on.
 */
export const clientSettings = {
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
} as const
