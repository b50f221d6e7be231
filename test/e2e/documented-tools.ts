import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Rows that are there while the documents' commands run. */
const expected = ['"DRAIN#', '"HOLDS"', '"COMMAND#', '"WANTED"']

/**
 * AWS CLI 1.46 takes no endpoint for SQS from the environment, as 2 does. A read of a row that has to be
 * there fails where it finds nothing, after a while: what was sent just before is answered first.
 */
const aws = (python: string, tries: number) => `#!/bin/sh
[ "$1" = sqs ] && set -- "$@" --endpoint-url "$AWS_ENDPOINT_URL"
case "$*" in
${expected.map((key) => `*'${key}'*`).join(' | ')}) ;;
*) exec '${python}' -m awscli "$@" ;;
esac
for TRY in $(seq ${tries}); do
  OUT=$('${python}' -m awscli "$@") || exit
  case "$OUT" in *'"S":'* | *'"N":'*) printf '%s\\n' "$OUT"; exit 0 ;; esac
  sleep 1
done
echo "it found nothing: $OUT" >&2
exit 1
`

/** Whatever a document runs with it has something to show. */
const npx = `#!/bin/sh
OUT=$(PATH=\${PATH#*:} npx "$@") || { CODE=$?; printf '%s\\n' "$OUT"; exit $CODE; }
[ -n "$OUT" ] || { echo "it printed nothing: npx $*" >&2; exit 1; }
printf '%s\\n' "$OUT"
`

/** As where the package of the construct is installed for all. */
const kdc = `#!/bin/sh
exec node '${join(import.meta.dirname, '../../cli/kdc.ts')}' "$@"
`

/** The lab's edges are on this machine, and their logs in the folder of its run, which is in RUN_OF_LAB. */
const ssh = `#!/bin/sh
exec bash -c "$(printf %s "$2" | sed "s#/var/log/kamailio.log#$RUN_OF_LAB/$1/$1.log#")"
`

/** A plain Debian has none. */
const openssl = `#!/bin/sh
[ "$1 $2" = 'rand -hex' ] || exit 1
exec node -p "require('node:crypto').randomBytes($3).toString('hex')"
`

interface Tools {
  /** with AWS CLI's module */
  readonly python: string
  /** how often, each second, a row that has to be there is looked for */
  readonly tries?: number
}

/** @returns a folder to have first in the PATH: what documents call, and what it has to find */
export function documentedTools(folder: string, { python, tries = 30 }: Tools): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const [name, script] of Object.entries({ aws: aws(python, tries), npx, kdc, ssh, openssl })) {
    writeFileSync(join(bin, name), script)
    chmodSync(join(bin, name), 0o755)
  }
  return bin
}
