import { strings } from '../../strings';
import { LanguageIcon, lazyView } from '../../ui';
import { openConversation } from '../../session';
import type { PanelDefinition } from '../panel';
import { createConversation, nextModel, stopReply } from './language-actions';
import { chooseAndImport, importLanguageModel } from './model-actions';

const STRINGS = strings.language;

export { AddModel } from './add-model';
export { createConversation } from './language-actions';
export { removeLanguageModel, verifyLanguageModel } from './model-actions';

const WORDS = STRINGS.commands;
/** Conversations the palette offers to open. */
const MOST_OFFERED = 20;

export const languagePanel: PanelDefinition = {
  id: 'language',
  title: STRINGS.title,
  Icon: LanguageIcon,
  view: lazyView(() => import('./language-view').then(({ LanguageView }) => LanguageView)),
  drop: {
    hint: STRINGS.drop,
    accepts: (name) => /\.gguf$/i.test(name),
    take: (session, file) => void importLanguageModel(session, file),
  },
  commands: (session) => {
    const state = session.language.getState();
    const { conversations = [], open, running } = state;
    const command = (id: string, title: string, keywords: string, work: () => Promise<void>) => ({
      id: `language.${id}`,
      title,
      keywords,
      run: () => {
        session.layout.getState().actions.setPanel('language');
        void work();
      },
    });
    const model = nextModel(state);
    const inView = open?.summary.id;
    return [
      {
        ...command('create', WORDS.create, WORDS.keywords.create, async () => {
          if (model !== undefined) await createConversation(session, model);
        }),
        disabled: model === undefined ? strings.palette.noLanguageModel : undefined,
      },
      command('import', WORDS.import, WORDS.keywords.import, () => chooseAndImport(session)),
      {
        ...command('stop', WORDS.stop, WORDS.keywords.stop, async () => {
          if (inView !== undefined) await stopReply(session, inView);
        }),
        disabled: inView !== undefined && running[inView] !== undefined ? undefined : strings.palette.noReply,
      },
      ...conversations.slice(0, MOST_OFFERED).map(({ id, title }) => ({
        ...command(`open.${id}`, WORDS.open(title), WORDS.keywords.open, () => openConversation(session, id)),
        group: 'conversations' as const,
      })),
    ];
  },
};
