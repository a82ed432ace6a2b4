import { registerHooks } from 'node:module'

/**
 * Gives a tool that asks for `typescript` the TypeScript that it can read with: TypeScript 7, which the project uses, has
 * no parser for others yet (dependency-cruiser 18 takes those below 7, and its other parser does not know `using`).
 */
registerHooks({
  resolve: (specifier, context, next) => next(specifier.replace(/^typescript(?=\/|$)/, 'typescript-6'), context),
})
