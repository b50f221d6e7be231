/** The highest that one run may have: our rpc.cfg takes 15 digits, and its successor's is higher. */
export const highestGeneration = 999_999_999_999_998
