import { strings } from '../../strings';
import { DeviceIcon } from '../../ui';
import type { PanelDefinition } from '../panel';
import { DevicePanel } from './device-panel';

const STRINGS = strings.device;

export const devicePanel: PanelDefinition = {
  id: 'device',
  title: STRINGS.title,
  Icon: DeviceIcon,
  View: DevicePanel,
};
