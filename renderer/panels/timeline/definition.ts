import { strings } from '../../strings';
import { TimelineIcon, lazyView } from '../../ui';
import type { PanelDefinition } from '../panel';

const STRINGS = strings.timeline;

export const timelinePanel: PanelDefinition = {
  id: 'timeline',
  title: STRINGS.title,
  Icon: TimelineIcon,
  view: lazyView(() => import('./timeline-panel').then(({ TimelinePanel }) => TimelinePanel)),
};
