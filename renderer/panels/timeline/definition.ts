import { TimelineIcon } from '../../ui';
import type { PanelDefinition } from '../panel';
import { STRINGS } from './strings';
import { TimelinePanel } from './timeline-panel';

export const timelinePanel: PanelDefinition = {
  id: 'timeline',
  title: STRINGS.title,
  Icon: TimelineIcon,
  View: TimelinePanel,
};
