/** Ends with a clear message where an entry is started by an older Node than the one in the lock file. */
export function requireNode24(version: string = process.version): void {
  const major = Number(/^v(\d+)\./.exec(version)?.[1])
  if (major >= 24) return
  throw new Error(
    `Node ${version} is too old: Node 24 or later is needed. It comes with "npm ci"; start this through npm or npx (npm run synth, npx cdk deploy).`,
  )
}
