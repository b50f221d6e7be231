import type { World } from './world.ts'

/** @returns the details of what was published of these types, in order */
export const publishedIn = ({ memory }: Pick<World, 'memory'>, ...types: string[]) =>
  memory.events.published.flatMap(({ type, detail }) => (types.includes(type) ? [detail] : []))
