import { storeContract } from '../contract/store.ts'
import { createMemoryStore } from './store.ts'

const store = createMemoryStore()
storeContract(() => store)
