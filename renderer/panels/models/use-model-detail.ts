import { useEffect, useState } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../../core/contract';
import type { ModelDetail, WireError } from '../../../core/contract';
import { useSession } from '../../session';

export type DetailState =
  | { readonly state: 'loading' }
  | { readonly state: 'loaded'; readonly detail: ModelDetail }
  | { readonly state: 'failed'; readonly error: WireError };

/** The model's detail, asked again whenever the engine or the model changes. Keeps the last one meanwhile. */
export function useModelDetail(name: string): DetailState {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const summary = useStore(session.models, (state) => state.models?.find((model) => model.name === name));
  const [loaded, setLoaded] = useState<{ readonly name: string; readonly state: DetailState }>();
  useEffect(() => {
    if (!live) return;
    let current = true;
    session.client.request('models.inspect', { name }).then(
      (detail) => {
        if (current) setLoaded({ name, state: { state: 'loaded', detail } });
      },
      (thrown: unknown) => {
        if (current)
          setLoaded({ name, state: { state: 'failed', error: SluiceError.from(thrown).toWire() } });
      },
    );
    return () => {
      current = false;
    };
  }, [session, live, name, summary]);
  return loaded?.name === name ? loaded.state : { state: 'loading' };
}
