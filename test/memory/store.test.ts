import { storeContract } from '../port-contracts/store.ts'
import { createMemoryStore } from './store.ts'

let seconds = 0
const store = createMemoryStore(() => {
  seconds += 1
  return seconds * 1000
})
storeContract(
  () => store,
  () => '1970-01-01',
)
