import { resolve } from 'node:path'
import { App } from 'aws-cdk-lib'
import * as z from 'zod'
import { DispatcherControlStack } from './dispatcher-control-stack.ts'
import { requireNode24 } from './node-version.ts'
import { readSettings } from './settings.ts'

requireNode24()
const app = new App()
const { data: chosen } = z.string().min(1).safeParse(app.node.tryGetContext('config'))
if (chosen === undefined)
  throw new Error(
    'no settings are named: copy dispatcher-control.json, which is a sample, and give your copy with -c config=my-settings.json',
  )
new DispatcherControlStack(app, readSettings(resolve(chosen)))
