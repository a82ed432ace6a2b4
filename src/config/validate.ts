import { fleetFileSchema } from '../model/fleet-file.ts'

/**
 * Whether every field of the value has a valid shape. The build replaces this file with a program that it generates from the
 * schema (`tools/build/validator.ts`): zod and the schema take 60 ms to load, and are needed only to say what is wrong.
 */
export function isFleetFile(value: unknown): boolean {
  return fleetFileSchema.safeParse(value).success
}
