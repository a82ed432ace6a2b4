/** As large as one can be in Swarm, too. */
export const MAX_SECRET_BYTES = 500 * 1024
