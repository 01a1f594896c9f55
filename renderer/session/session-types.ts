import type {
  BudgetStore,
  EndpointsStore,
  EngineStore,
  FleetStore,
  JobsStore,
  KeyValueStorage,
  LabStore,
  LanguageStore,
  LayoutStore,
  LibraryStore,
  ModelsStore,
  OffloadStore,
  RunSetupStore,
  RunsStore,
  TelemetryHub,
} from '../stores';
import type { EngineClient, HostServices } from '../transport';

/** Everything a panel may use: the engine, the host around us, and one store a domain. */
export interface Session {
  readonly client: EngineClient;
  readonly host: HostServices;
  readonly engine: EngineStore;
  readonly models: ModelsStore;
  readonly jobs: JobsStore;
  readonly runs: RunsStore;
  readonly budget: BudgetStore;
  readonly layout: LayoutStore;
  readonly library: LibraryStore;
  readonly runSetup: RunSetupStore;
  readonly endpoints: EndpointsStore;
  readonly offload: OffloadStore;
  readonly language: LanguageStore;
  readonly lab: LabStore;
  readonly telemetry: TelemetryHub;
  /** This machine's session: itself, or the one through which a box is in view. The frame and the fleet are its. */
  readonly home: Session;
  /** Other boxes, as `home` knows them. */
  readonly fleet: FleetStore;
  /** Sessions of other boxes, kept by `home`. */
  readonly boxes: BoxSessions;
}

export interface SessionParts {
  readonly client: EngineClient;
  readonly host: HostServices;
  readonly storage: KeyValueStorage;
  readonly defaultPanel: string;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** What is called once each, in this order, as the first engine answers. */
  readonly onAnswered?: () => void;
  readonly onFilled?: () => void;
  /** Of another box: this machine's session. */
  readonly home?: Session;
}

/** Sessions of other boxes; a few are kept, so that going back and forth is at once. */
export interface BoxSessions {
  readonly get: (box: string | undefined) => Session | undefined;
  /** Opens it if need be; the one that was not shown for longest is closed when there are too many. */
  readonly show: (box: string) => Session;
  readonly close: (box: string) => void;
  /** Ids of the boxes that have one. */
  readonly open: () => readonly string[];
}
