import { SluiceError } from '../../core/contract';
import type {
  EngineStatus,
  EventName,
  Events,
  FleetBox,
  RequestInput,
  RequestName,
  RequestOutput,
} from '../../core/contract';
import { strings } from '../strings';
import { createStatusHolder } from './engine-client';
import type { EngineClient } from './engine-client';

const { fleet } = strings;

const WORDS = fleet.client;

export interface BoxClientParts {
  /** This machine's engine, which relays. */
  readonly local: EngineClient;
  /** Id of the box. */
  readonly box: string;
  /** The box as it is known now; undefined once it was removed. */
  readonly present: () => FleetBox | undefined;
  /** Calls back when `present` gives something else. @returns the way to stop. */
  readonly watch: (changed: () => void) => () => void;
}

export interface BoxClient extends EngineClient {
  /** Stops following; later requests are refused. */
  readonly close: () => void;
}

type Listener = (payload: never) => void;

/** How the box's engine is seen from here, as long as nothing is known of following it. */
function statusOf(local: EngineStatus, box: FleetBox | undefined, wasOk: boolean): EngineStatus {
  if (local.state === 'starting') return local;
  if (local.state !== 'ok') return { ...local, reason: WORDS.localAway(local.reason) };
  if (box === undefined) return { state: 'down', reason: WORDS.removed };
  const reason = box.reason ?? WORDS.states[box.state];
  if (box.state === 'offline' || box.state === 'refused') return { state: 'down', reason };
  return wasOk ? { state: 'restarting', reason, restarts: 0 } : { state: 'starting' };
}

/** Another box's engine through this machine's: requests are relayed, events are those it is followed for. */
export function createBoxClient({ local, box, present, watch }: BoxClientParts): BoxClient {
  const holder = createStatusHolder();
  const listeners = new Map<EventName, Set<Listener>>();
  let wasOk = false;
  let isReachable = false;
  let isClosed = false;
  /** Counts the times it became reachable, so that an answer that is late changes nothing. */
  let turn = 0;

  const follow = async (mine: number): Promise<void> => {
    try {
      await local.request('fleet.follow', { box, on: true });
      if (mine !== turn) return;
      wasOk = true;
      // Only now: what is asked from here on is followed by the events that change it.
      holder.set({ state: 'ok' });
    } catch (thrown) {
      if (mine === turn) holder.set({ state: 'down', reason: SluiceError.from(thrown).message });
    }
  };
  const sync = (): void => {
    const now = present();
    const isNow = local.status().state === 'ok' && now?.state === 'online';
    if (isNow && isReachable) return;
    isReachable = isNow;
    turn += 1;
    holder.set(statusOf(local.status(), now, wasOk));
    if (isNow) void follow(turn);
  };

  const stops = [
    local.on('fleetTold', (told) => {
      if (told.box !== box) return;
      for (const listener of listeners.get(told.event) ?? [])
        (listener as (payload: unknown) => void)(told.payload);
    }),
    local.onStatus(sync),
    watch(sync),
  ];
  sync();

  return {
    request: async <N extends RequestName>(request: N, input: RequestInput<N>): Promise<RequestOutput<N>> => {
      if (isClosed) throw new SluiceError('engine-down', WORDS.closed);
      // Following a box brings its telemetry along.
      if (request === 'telemetry.watch') return {};
      return await local.request('fleet.ask', { box, request, input });
    },
    on: <E extends EventName>(event: E, listener: (payload: Events[E]) => void) => {
      const set = listeners.get(event) ?? new Set<Listener>();
      listeners.set(event, set);
      set.add(listener);
      return () => set.delete(listener);
    },
    status: holder.status,
    onStatus: holder.onStatus,
    revive: () => {
      if (local.status().state === 'ok') local.request('fleet.retry', { box }).catch(() => undefined);
      else local.revive();
    },
    close: () => {
      isClosed = true;
      turn += 1;
      for (const stop of stops) stop();
      listeners.clear();
      // An engine that is away follows nobody.
      if (isReachable) local.request('fleet.follow', { box, on: false }).catch(() => undefined);
    },
  };
}
