import { SluiceError } from '../../core/contract';
import type { Session } from './session-types';

/** What a fresh engine is asked about other boxes. */
export function loadFleet({ client, fleet }: Session): readonly Promise<unknown>[] {
  const { actions } = fleet.getState();
  return [
    client
      .request('fleet.list', {})
      .then(actions.setBoxes, (thrown: unknown) => actions.failLoading(SluiceError.from(thrown).toWire())),
    client.request('fleet.pushes', {}).then(actions.setPushes),
  ];
}

/** Keeps the boxes as the engine tells them, and lets go of those that were removed. */
export function followFleet({ client, fleet, boxes }: Session): void {
  const { actions } = fleet.getState();
  client.on('fleet', ({ changed, removed }) => actions.change(changed, removed));
  client.on('fleetPush', actions.updatePush);
  fleet.subscribe((state, before) => {
    if (state.boxes === before.boxes) return;
    for (const id of boxes.open()) if (state.boxes?.has(id) !== true) boxes.close(id);
  });
}

/**
 * Shows another box in all panels, or this machine again. The panel in view stays, except the fleet's own.
 * @param box undefined: this machine.
 */
export function showBox({ home }: Session, box: string | undefined, panel?: string): void {
  const { fleet, boxes } = home;
  const now = boxes.get(fleet.getState().shown) ?? home;
  const next = box === undefined ? home : boxes.show(box);
  const inView = panel ?? now.layout.getState().panel;
  next.layout.getState().actions.setPanel(inView);
  fleet.getState().actions.show(box);
}
