/** Control of Kamailio's dispatcher, to build into another CDK app. */
export { Alarms, type AlarmsProps } from './alarms.ts'
export {
  DispatcherControl,
  type DispatcherControlProps,
  type DrainOnAlarmOptions,
} from './dispatcher-control.ts'
export { directEdgeAccess, type EdgeAccess, type EdgeNetwork } from './edge-access.ts'
export type { EdgeTlsProps } from './edge-tls.ts'
export type { HandlerName } from './handlers.ts'
export type { ManageOptions } from './lifecycle-hooks.ts'
export { OperationsDashboard, type OperationsDashboardProps } from './operations-dashboard.ts'
export { RelayAccess, type RelayAccessProps } from './relay-access.ts'
export {
  type EdgeAddress,
  type EdgeListener,
  VpcLinkAccess,
  type VpcLinkAccessProps,
} from './vpc-link-access.ts'
