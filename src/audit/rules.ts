import { findBuildHabits, findSourcesInContent, findUnpinnedPackages } from './rules/build-steps.ts'
import {
  findCopyModes,
  findMounts,
  findOutsideCopies,
  findOutsideFiles,
  findOutsideMounts,
  findSensitiveCopies,
  findTmpfsModes,
} from './rules/files.ts'
import { findEndedImages } from './rules/image-age.ts'
import { findImageReferences } from './rules/image-reference.ts'
import { findPorts, findShadowedHosts, findSharedVariables } from './rules/network.ts'
import { findDockerfileHabits } from './rules/own-dockerfile.ts'
import { findCapabilities, findSettings, findUnsafeKeys, findUsers } from './rules/rights.ts'
import { findSecretsInOptions, findSecretsInScripts, findSecretsInTexts, findWeakSecrets } from './rules/secrets.ts'
import { findEvaluations, findLimits, findReadiness, findUnused } from './rules/servers.ts'
import type { Rule } from './subject.ts'

/** Every rule of the audit. */
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
