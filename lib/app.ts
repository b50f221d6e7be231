import { join, resolve } from 'node:path'
import { App } from 'aws-cdk-lib'
import * as z from 'zod'
import { DispatcherControlStack } from './dispatcher-control-stack.ts'
import { requireNode24 } from './node-version.ts'
import { readSettings } from './settings.ts'

requireNode24()
const app = new App()
const chosen = z
  .string()
  .default(join(import.meta.dirname, '..', 'dispatcher-control.json'))
  .parse(app.node.tryGetContext('config'))
new DispatcherControlStack(app, readSettings(resolve(chosen)))
