import type { KnipConfig } from 'knip'

const config: KnipConfig = {
  entry: [
    'lib/app.ts',
    'lib/index.ts',
    'docs/example/app.ts',
    'bench/{drain-over-edges,edge-*,pace,settle-cpu}.ts',
    'lab/emulator/localstack/node-worker.ts',
    'functions/handlers/*.ts',
    'test/**/*.test.ts',
    'test/kamailio/drop-in/inside.ts',
    'test/recordings/record.ts',
    'test/suite-minutes.ts',
  ],
  project: ['**/*.ts'],
  // looked for on the PATH by the lab and by a test, and of every Debian
  ignoreBinaries: ['kamailio', 'mkfifo'],
  ignoreExportsUsedInFile: true,
}
export default config
