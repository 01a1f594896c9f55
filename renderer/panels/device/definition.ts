import { strings } from '../../strings';
import { DeviceIcon, lazyView } from '../../ui';
import type { PanelDefinition } from '../panel';

const STRINGS = strings.device;

export const devicePanel: PanelDefinition = {
  id: 'device',
  title: STRINGS.title,
  Icon: DeviceIcon,
  view: lazyView(() => import('./device-panel').then(({ DevicePanel }) => DevicePanel)),
};
