import { NoDebianPackages } from '../../lab/debian-root.ts'
import { type LocalStackProgram, localStackProgram, NoLocalStack } from '../../lab/localstack-program.ts'

type Here =
  | { readonly localstack: LocalStackProgram; readonly reason: undefined }
  | { readonly localstack: undefined; readonly reason: string }

/** LocalStack, or why this machine can't have it, which is printed; the tests that need it are skipped then. */
export async function localStackOrReason(): Promise<Here> {
  try {
    return { localstack: await localStackProgram(console.log), reason: undefined }
  } catch (error) {
    if (!(error instanceof NoLocalStack || error instanceof NoDebianPackages)) throw error
    console.warn(`skipped, because LocalStack can't be had here: ${error.message}`)
    return { localstack: undefined, reason: error.message }
  }
}
