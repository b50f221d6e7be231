import { EdgeError } from '../control/errors.ts'
import type { EdgeHead } from '../control/reading.ts'
import type { Edge } from '../ports/edge.ts'

/**
 * Which edge each Kamailio is: the boot ids that answers have named. An address or a gateway's route that
 * leads to the Kamailio of another edge shows by them. One without our rpc.cfg names none, and two may have
 * been started in the same second: of those nothing is known.
 */
export class Boots {
  private readonly edges = new Map<string, Set<string>>()

  /** @param heads of edges that are configured */
  constructor(heads: readonly EdgeHead[]) {
    for (const { edge, bootId } of heads) if (bootId !== undefined) this.note(bootId, edge)
  }

  /** Notes who has answered. @throws EdgeError, `another-edge` */
  answered({ id, answeredBy }: Pick<Edge, 'id' | 'answeredBy'>): void {
    for (const boot of answeredBy()) {
      const others = [...(this.edges.get(boot) ?? [])].filter((edge) => edge !== id)
      if (others.length > 0)
        throw new EdgeError(
          id,
          'another-edge',
          `the Kamailio that answered is known as ${others.join(', ')} (boot ${boot}): the address of one of them is wrong, or its route`,
        )
      this.note(boot, id)
    }
  }

  private note(boot: string, edge: string): void {
    this.edges.set(boot, (this.edges.get(boot) ?? new Set()).add(edge))
  }
}
