import { strings } from '../../strings';
import { TimelineIcon } from '../../ui';
import type { PanelDefinition } from '../panel';
import { TimelinePanel } from './timeline-panel';

const STRINGS = strings.timeline;

export const timelinePanel: PanelDefinition = {
  id: 'timeline',
  title: STRINGS.title,
  Icon: TimelineIcon,
  View: TimelinePanel,
};
