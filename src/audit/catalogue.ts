import { filesAndRights } from './catalogue/files-and-rights.ts'
import { imagesAndSecrets } from './catalogue/images-and-secrets.ts'
import { networkAndBuild } from './catalogue/network-and-build.ts'
import { servers } from './catalogue/servers.ts'
import type { Catalogue } from './subject.ts'

/** Every kind of finding, once: what `check` prints, the rules of its SARIF, and the table in docs/audit.md. */
export const catalogue: Catalogue = { ...imagesAndSecrets, ...filesAndRights, ...networkAndBuild, ...servers }
