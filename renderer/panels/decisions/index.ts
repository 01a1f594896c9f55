import { strings } from '../../strings';
import { DecisionsIcon, lazyView } from '../../ui';
import type { PanelDefinition } from '../panel';
import {
  exportText,
  installExample,
  pauseLearning,
  resetLearning,
  restoreLearning,
  startDeployment,
  stopDeployment,
} from './decision-actions';

const STRINGS = strings.decisions;

const WORDS = STRINGS.commands;
const KEYWORDS = WORDS.keywords;

export const decisionsPanel: PanelDefinition = {
  id: 'decisions',
  title: STRINGS.title,
  Icon: DecisionsIcon,
  view: lazyView(() => import('./decisions-view').then(({ DecisionsView }) => DecisionsView)),
  commands: (session) => {
    const { deployment } = session.offload.getState();
    if (deployment === undefined) return [];
    const command = (id: string, title: string, work: () => Promise<void>, keywords: string) => ({
      id: `decisions.${id}`,
      title,
      keywords,
      run: () => {
        session.layout.getState().actions.setPanel('decisions');
        void work();
      },
    });
    if (deployment.variants.length === 0)
      return [command('install', WORDS.install, () => installExample(session), KEYWORDS.install)];
    const { learningPaused } = deployment;
    return [
      deployment.state === 'running'
        ? command('stop', WORDS.stop, () => stopDeployment(session), KEYWORDS.agent)
        : command('start', WORDS.start, () => startDeployment(session), KEYWORDS.agent),
      command(
        'pause',
        learningPaused ? WORDS.resume : WORDS.pause,
        () => pauseLearning(session, !learningPaused),
        KEYWORDS.agent,
      ),
      command('reset', WORDS.reset, () => resetLearning(session), KEYWORDS.reset),
      ...(deployment.canRestore
        ? [command('restore', WORDS.restore, () => restoreLearning(session), KEYWORDS.restore)]
        : []),
      command(
        'exportDecisions',
        WORDS.exportDecisions,
        () => exportText(session, 'decisions'),
        KEYWORDS.save,
      ),
      command(
        'exportCheckpoint',
        WORDS.exportCheckpoint,
        () => exportText(session, 'checkpoint'),
        KEYWORDS.save,
      ),
    ];
  },
};
