import { SSMClient } from '@aws-sdk/client-ssm'
import { createEdgeTls } from '../aws/edge-tls.ts'
import { createFleet, type FleetOptions } from '../aws/fleet.ts'
import { createLastGoodEdges } from '../aws/last-good-edges.ts'
import { createSecret, type Secret } from '../aws/secret.ts'
import { metricNames } from '../contracts/names.ts'
import { createEdge } from '../kamailio/dispatcher.ts'
import { createMediaServers } from '../kamailio/media-servers.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { createCommonPorts } from './adapters.ts'
import { clientSettings } from './client-settings.ts'
import { correlationId } from './correlation.ts'
import type { EdgeEnvironment } from './edge-environment.ts'
import { edgeTransports } from './edge-transports.ts'
import { createLogger } from './logger.ts'
import { pem } from './pem.ts'

/** Constructs every adapter of the settle function, once per cold start. Nothing is read or connected yet. */
export function createEdgePorts(environment: EdgeEnvironment): EdgePorts {
  const { common, rows } = createCommonPorts(environment)
  const { clock, config, metrics } = common
  const ssm = new SSMClient(clientSettings)
  const timeoutMs = config.timers.rpcTimeoutSeconds * 1000

  const rpcSecret = createSecret(ssm, environment.rpcSecretParameter, clock)
  const key = { secret: () => rpcSecret.get(), refreshSecret: () => rpcSecret.refresh() }
  const passwords = new Map<string, Secret>()
  function password(parameter: string): Promise<string> {
    const secret = passwords.get(parameter) ?? createSecret(ssm, parameter, clock)
    passwords.set(parameter, secret)
    return secret.get()
  }

  const tls = environment.edgeTls && createEdgeTls(ssm, environment.edgeTls, { clock, pem })
  const transportOf = edgeTransports({ ...environment, config }, ssm.config, tls)
  const backOff = (attempt: number) => clock.sleep(Math.random() * 100 * 2 ** attempt)

  return {
    ...common,
    fleet: createFleet({
      client: ssm,
      path: environment.edgesPath,
      clock,
      needsUrl: environment.edgeApi === undefined,
      lastGood: createLastGoodEdges(rows),
      createEdge(id, parameter) {
        const { restoresDialogs } = parameter
        return createEdge({
          id,
          restoresDialogs,
          timeoutMs,
          key,
          backOff,
          correlationId,
          transport: transportOf(id, parameter),
        })
      },
      ...(environment.edgeRoutes && { routes: environment.edgeRoutes }),
      ...reportsOf(metrics),
    }),
    mediaServers: createMediaServers({ groups: config.groups, password, timeoutMs }),
  }
}

/** What is wrong with the list of edges is logged and counted. */
function reportsOf(metrics: Metrics): Pick<FleetOptions, 'onRefused' | 'onRoutesDiffer'> {
  return {
    onRefused(reason, kept) {
      const instead = kept ? 'the last good one is kept' : 'and there is no earlier one'
      createLogger().error(`The list of edges is refused, ${instead}`, { error: reason })
      metrics.count(metricNames.edgeListRefused, 1)
    },
    onRoutesDiffer(differing) {
      createLogger().warn("The edges' parameters and the stack's routes differ", { ...differing })
      const { withoutRoute, withoutParameter } = differing
      metrics.count(metricNames.edgeRoutesDiffer, withoutRoute.length + withoutParameter.length)
    },
  }
}
