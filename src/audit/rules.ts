import { findBuildHabits, findSourcesInContent, findUnpinnedPackages } from './rules/build-steps.ts'
import { findEvaluations } from './rules/commands.ts'
import { findCopyModes, findTmpfsModes } from './rules/file-modes.ts'
import { findEndedImages } from './rules/image-age.ts'
import { findImageReferences } from './rules/image-reference.ts'
import { findLimits } from './rules/limits.ts'
import { findMounts } from './rules/mounts.ts'
import { findShadowedHosts, findSharedVariables } from './rules/names.ts'
import { findOutsideCopies, findOutsideFiles, findOutsideMounts } from './rules/outside-paths.ts'
import { findDockerfileHabits } from './rules/own-dockerfile.ts'
import { findPorts } from './rules/ports.ts'
import { findReadiness } from './rules/readiness.ts'
import { findCapabilities, findUsers } from './rules/rights.ts'
import { findWeakSecrets } from './rules/secret-keys.ts'
import { findSecretsInScripts } from './rules/secrets-in-scripts.ts'
import { findSecretsInOptions, findSecretsInTexts } from './rules/secrets-in-text.ts'
import { findSensitiveCopies } from './rules/sensitive-copies.ts'
import { findSettings } from './rules/settings.ts'
import { findUnsafeKeys } from './rules/unsafe-keys.ts'
import { findUnused } from './rules/unused.ts'
import type { Rule } from './subject.ts'

/** All that is looked for. */
export const rules: readonly Rule[] = [
  findImageReferences,
  findEndedImages,
  findSecretsInTexts,
  findSecretsInOptions,
  findSecretsInScripts,
  findWeakSecrets,
  findCopyModes,
  findTmpfsModes,
  findSensitiveCopies,
  findMounts,
  findOutsideMounts,
  findOutsideCopies,
  findOutsideFiles,
  findUsers,
  findCapabilities,
  findUnsafeKeys,
  findSettings,
  findPorts,
  findShadowedHosts,
  findSharedVariables,
  findBuildHabits,
  findSourcesInContent,
  findUnpinnedPackages,
  findEvaluations,
  findDockerfileHabits,
  findReadiness,
  findLimits,
  findUnused,
]
