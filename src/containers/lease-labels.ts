import type { CallOptions, Engine, VolumeSummary } from '../engine/engine.ts'
import { type Labels, label } from '../model/labels.ts'
import { type Holder, type Lease, type LeaseKind, leaseVolume } from '../model/lease.ts'

const kinds: readonly LeaseKind[] = ['hold', 'work', 'time']

/** What the volume of a lease carries besides the labels of its session. */
export function leaseLabels(id: string, kind: LeaseKind, holder: Holder): Labels {
  return { [label.lease]: id, [label.leaseKind]: kind, [label.holder]: JSON.stringify(holder) }
}

/** All leases of an engine, or those of one session. */
export async function listLeases(
  engine: Engine,
  session: string | undefined,
  options: CallOptions,
): Promise<readonly Lease[]> {
  const volumes = await engine.listVolumes({ [label.leaseKind]: '', [label.session]: session ?? '' }, options)
  return volumes.flatMap(readLease)
}

/** The lease that a volume stands for; none for any other volume. */
export function readLease({ name, labels, createdAtMs }: VolumeSummary): Lease[] {
  const { [label.lease]: id = '', [label.session]: session = '', [label.leaseKind]: word } = labels
  const kind = kinds.find((known) => known === word)
  if (kind === undefined || name !== leaseVolume(session, id)) return []
  return [{ id, session, kind, volume: name, holder: readHolder(labels[label.holder] ?? ''), createdAtMs }]
}

/** Undefined for what another version wrote, or nobody: such a lease is left alone. */
function readHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null
    if (typeof holder?.machine !== 'object' || !Array.isArray(holder.processes)) return undefined
    return {
      machine: holder.machine,
      processes: holder.processes,
      socket: holder.socket ?? '',
      untilMs: holder.untilMs,
    }
  } catch {
    return undefined
  }
}
