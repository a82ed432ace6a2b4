import './api/require-node.ts'

export { defineFleet } from './api/define-fleet.ts'
export type {
  EventBuildStep,
  EventData,
  EventKind,
  EventOperation,
  PlannedChange,
  ServerEventKind,
  TestfleetEvent,
} from './api/events.ts'
export type { PresetsOptions } from './api/fleet-calls.ts'
export { LeasedServer } from './api/leased-server.ts'
export { RunningFleet } from './api/running-fleet.ts'
export { RunningServer } from './api/running-server.ts'
export { joinFleet, startFleet } from './api/start-fleet.ts'
export { Testfleet } from './api/testfleet.ts'
export type { BakedImage, BakeOptions } from './api/types/bake.ts'
export type { BuildOptions, BuiltImage } from './api/types/build.ts'
export type { CheckResult, Finding, IgnoredFinding, SarifResult } from './api/types/check.ts'
export type { EffectiveFleet } from './api/types/config.ts'
export type { Control, ControlOptions } from './api/types/control.ts'
export type { Diagnosis, EngineProblem } from './api/types/doctor.ts'
export type { DownOptions, RemovedSession } from './api/types/down.ts'
export type {
  EnvironmentFormat,
  EnvironmentOptions,
  HostsEntry,
  NamedServer,
  SessionHosts,
} from './api/types/environment.ts'
export type { ExecOptions, ExecResult, ProcessOutput, ServerProcess, SpawnOptions } from './api/types/exec.ts'
export type { Exports, PortsOf, ProtocolsOf, ServerNames } from './api/types/fleet-types.ts'
export type { HeldSession } from './api/types/hold.ts'
export type {
  ArchiveSource,
  ArchiveTarget,
  LoadedImage,
  LoadImagesOptions,
  SavedImage,
  SavedImages,
  SaveImagesOptions,
} from './api/types/image-archives.ts'
export type { JoinOptions } from './api/types/join.ts'
export type { Isolation, LeaseOptions } from './api/types/lease.ts'
export type { LoadedFleet, LoadedPort, LoadedServer } from './api/types/load.ts'
export type { LogLine, LogsOptions, ServerLogsOptions } from './api/types/logs.ts'
export type {
  BindOptions,
  CallOptions,
  FleetOptions,
  FleetSource,
  SessionOptions,
  Source,
  TestfleetOptions,
  TimedOptions,
  TimelineOptions,
} from './api/types/options.ts'
export type { Pin, PinOptions, PinResult } from './api/types/pin.ts'
export type { PlannedImage, PlannedOperation, PlanOptions, PlanResult } from './api/types/plan.ts'
export type { PresetDetails, PresetExport, PresetOption, PresetSummary } from './api/types/presets.ts'
export type { Pruned, PrunedSession, PruneOptions } from './api/types/prune.ts'
export type { RemoveImagesOptions } from './api/types/remove.ts'
export type { AttachedLogs, CommandOptions, RunBundle, RunOptions, RunResult } from './api/types/run.ts'
export type { SbomOptions } from './api/types/sbom.ts'
export type { ServerEventsOptions } from './api/types/server-events.ts'
export type {
  CopyOptions,
  CopyResult,
  ForceOptions,
  RestartServerOptions,
  ServerEndpoint,
  StartServerOptions,
  StopServerOptions,
  WaitOptions,
} from './api/types/servers.ts'
export type { SessionSummary } from './api/types/sessions.ts'
export type { ShareOptions } from './api/types/share.ts'
export type { StartOptions } from './api/types/start.ts'
export type { Snapshot, StateOptions } from './api/types/state.ts'
export type { StrictFleet } from './api/types/strict-fleet.ts'
export type { UpOptions } from './api/types/up.ts'
export type { StandbyReport, WarmOptions } from './api/types/warm.ts'
export type { WhyOptions } from './api/types/why.ts'
export type { Cause, RuleName, WhyReport } from './model/cause.ts'
export type { ServerState } from './model/events.ts'
export { type FailureCode, type FailureDetails, type Mistake, TestfleetError } from './model/failures.ts'
export type { Position } from './model/fleet.ts'
export type { FleetFile, ServerDeclaration } from './model/fleet-file.ts'
export type { Endpoint, ServerReport, SessionReport } from './model/running.ts'
export { VERSION } from './version.ts'
