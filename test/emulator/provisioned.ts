import { ministackPython } from '../../lab/programs/python-venv.ts'

/** Before files that run side by side: each would fetch by itself what all of them need. */
export async function setup(): Promise<void> {
  await ministackPython((line) => console.log(line))
}
