import { storeContract } from '../port-contracts/store.ts'
import { createMemoryStore } from './store.ts'

const store = createMemoryStore()
storeContract(() => store)
