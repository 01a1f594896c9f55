import { DeviceIcon } from '../../ui';
import type { PanelDefinition } from '../panel';
import { DevicePanel } from './device-panel';
import { STRINGS } from './strings';

export const devicePanel: PanelDefinition = {
  id: 'device',
  title: STRINGS.title,
  Icon: DeviceIcon,
  View: DevicePanel,
};
