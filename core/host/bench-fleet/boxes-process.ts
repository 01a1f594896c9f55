import { obey } from '../bench/commanded-process';
import type { BoxCounts, BoxesCommand } from './boxes-protocol';
import { SimulatedBox } from './simulated-box';

let boxes: readonly SimulatedBox[] = [];

async function handle(command: BoxesCommand): Promise<readonly string[] | BoxCounts> {
  switch (command.kind) {
    case 'start': {
      const { count, version, token } = command;
      boxes = await Promise.all(
        Array.from({ length: count }, (_, index) => SimulatedBox.start({ index, version, token })),
      );
      return boxes.map(({ url }) => url);
    }
    case 'drop':
      for (const box of boxes) box.drop();
      return counts();
    case 'counts':
      return counts();
    case 'end':
      await Promise.all(boxes.map((box) => box.close()));
      return counts();
  }
}

function counts(): BoxCounts {
  return {
    connected: boxes.reduce((sum, { connections }) => sum + connections, 0),
    watched: boxes.filter(({ isWatched }) => isWatched).length,
  };
}

obey<BoxesCommand>(handle, ({ kind }) => kind === 'end');
