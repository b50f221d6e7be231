import { kamailioReleases } from '../../lab/programs/program.ts'
import { provision } from '../../lab/programs/provision.ts'

/** Before files that run side by side: each would fetch by itself what all of them need. */
export async function setup(): Promise<void> {
  await provision({ kamailio: kamailioReleases, log: (line) => console.log(line) })
}
