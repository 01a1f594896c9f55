import type { Events, TelemetryBatch } from '../../contract';
import type { Channel } from '../channel';
import type { Client } from '../handlers/handler';
import type { ToldEvent } from './told-events';

/** One connection's view of the fleet: whether it shows it, and the boxes it follows. */
export function clientFleet(
  channel: Channel,
): Pick<Client, 'watchFleet' | 'followBox'> & { readonly close: () => void } {
  const follows = new Map<string, () => void>();
  let endWatch: (() => void) | undefined;
  let isClosed = false;
  return {
    watchFleet(fleet) {
      if (!isClosed) endWatch ??= fleet.watch();
    },
    followBox(fleet, box, on) {
      follows.get(box)?.();
      follows.delete(box);
      if (!on || isClosed) return;
      follows.set(box, fleet.follow(box, passedOn(channel, box)));
    },
    close() {
      isClosed = true;
      endWatch?.();
      for (const end of follows.values()) end();
      follows.clear();
    },
  };
}

/** A slow console loses telemetry first, which is counted with what the box itself lost, then interim results. */
function passedOn(channel: Channel, box: string): (event: ToldEvent, payload: unknown) => void {
  let lost = 0;
  return (event, payload) => {
    const pressure = channel.pressure();
    if (event === 'result' && pressure === 'clogged') return;
    if (event !== 'telemetry') {
      channel.send({ event: 'fleetTold', payload: { box, event, payload } as Events['fleetTold'] });
      return;
    }
    const batch = payload as TelemetryBatch;
    if (pressure !== 'free') {
      lost += batch.timeMs.length;
      return;
    }
    const counted = { ...batch, dropped: batch.dropped + lost };
    channel.send({ event: 'fleetTold', payload: { box, event, payload: counted } });
  };
}
