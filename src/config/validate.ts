import { fleetFileSchema } from '../model/fleet-file.ts'

/**
 * Returns whether every field of the value has a valid shape. The build replaces this file with a program generated from
 * the schema (`tools/build/validator.ts`): zod and the schema take 60 ms to load, and are only needed to explain mistakes.
 */
export function isFleetFile(value: unknown): boolean {
  return fleetFileSchema.safeParse(value).success
}
