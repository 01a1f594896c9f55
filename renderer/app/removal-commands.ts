import type { Command } from '../panels';
import { removeEndpoint } from '../panels/endpoints/endpoint-actions';
import { removeModel } from '../panels/models/library-actions';
import type { Session } from '../session';
import { strings } from '../strings';

const WORDS = strings.palette;

/** Takes models and endpoints out, as their inspectors do: each can be put back for a while. */
export function removalCommands(session: Session): readonly Command[] {
  const { layout, models, endpoints, engine } = session;
  const { setPanel } = layout.getState().actions;
  const disabled = engine.getState().status.state === 'ok' ? undefined : WORDS.engineAway;
  return [
    ...(models.getState().models ?? []).map(({ name }): Command => ({
      id: `models.remove.${name}`,
      title: WORDS.removeModel(name),
      keywords: WORDS.removeKeywords,
      group: 'models',
      disabled,
      run: () => {
        setPanel('models');
        void removeModel(session, name);
      },
    })),
    ...(endpoints.getState().endpoints ?? []).map((endpoint): Command => ({
      id: `endpoints.remove.${endpoint.id}`,
      title: WORDS.removeEndpoint(endpoint.name),
      keywords: WORDS.removeKeywords,
      group: 'boxes',
      disabled,
      run: () => {
        setPanel('endpoints');
        void removeEndpoint(session, endpoint);
      },
    })),
  ];
}
