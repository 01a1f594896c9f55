import { strings } from '../../strings';
import { ModelsIcon, lazyView } from '../../ui';
import type { Command, PanelDefinition } from '../panel';
import { chooseAndImport, importExample, importFile, restoreModel, verifyModel } from './library-actions';

const STRINGS = strings.models;

export { importExample } from './library-actions';

export const modelsPanel: PanelDefinition = {
  id: 'models',
  title: STRINGS.title,
  Icon: ModelsIcon,
  view: lazyView(() => import('./models-view').then(({ ModelsView }) => ModelsView)),
  drop: {
    hint: STRINGS.dropNow,
    accepts: (name) => /\.onnx$/i.test(name),
    take: (session, file) => void importFile(session, file),
  },
  commands: (session) => {
    const open = (): void => session.layout.getState().actions.setPanel('models');
    return [
      {
        id: 'models.import',
        title: STRINGS.commands.import,
        keywords: STRINGS.commands.keywords.import,
        run: () => {
          open();
          void chooseAndImport(session);
        },
      },
      {
        id: 'models.importExample',
        title: STRINGS.importTeach,
        keywords: STRINGS.commands.keywords.example,
        run: () => {
          open();
          void importExample(session);
        },
      },
      ...(session.models.getState().models ?? []).flatMap(({ name }): readonly Command[] => [
        {
          id: `models.open.${name}`,
          title: STRINGS.commands.open(name),
          group: 'models',
          run: () => {
            open();
            session.library.getState().actions.select(name);
          },
        },
        {
          id: `models.verify.${name}`,
          title: STRINGS.commands.verify(name),
          group: 'models',
          disabled: session.engine.getState().status.state === 'ok' ? undefined : strings.palette.engineAway,
          run: () => {
            open();
            session.library.getState().actions.select(name);
            void verifyModel(session, name);
          },
        },
      ]),
      ...session.models.getState().removed.map(({ name }) => ({
        id: `models.undo.${name}`,
        title: STRINGS.removed.undoCommand(name),
        keywords: STRINGS.commands.keywords.undo,
        run: () => {
          open();
          void restoreModel(session, name);
        },
      })),
    ];
  },
};
