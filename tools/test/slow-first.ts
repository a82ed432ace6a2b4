import { BaseSequencer, type TestSpecification } from 'vitest/node'

const slow =
  /\/(?:bake|certificates|ci|cmake|e2e\/engines|endless|engine|example|failures|fault\/engine|holders|images|incremental|junit|library|looking|more-runners|names|planted-secrets|ready|runners|runtime|server-keys|servers|session-record|snapshots|sweep|trust|undo)\.test\.ts$/

/**
 * Begins with the slow files, so that none of them runs alone at the end. Vitest itself begins with the largest files:
 * it keeps no durations of a run that leaves out some tests.
 */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const [first, rest] = [true, false].map((isSlow) => files.filter(({ moduleId }) => slow.test(moduleId) === isSlow))
    return [...(await super.sort(first ?? [])), ...(await super.sort(rest ?? []))]
  }
}
