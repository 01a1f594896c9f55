import { useStore } from 'zustand';

import { useSession } from '../../session';

/** A part of the panel that is shown or hidden, remembered with the layout. */
export function useSwitch(
  name: string,
  initially: boolean,
): { readonly isOn: boolean; readonly onToggle: () => void } {
  const { layout } = useSession();
  const isOn = useStore(layout, (state) => (state.sizes[name] ?? (initially ? 1 : 0)) !== 0);
  return { isOn, onToggle: () => layout.getState().actions.setSize(name, isOn ? 0 : 1) };
}
