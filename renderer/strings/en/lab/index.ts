import { board } from './board';
import { charts } from './charts';
import { compare } from './compare';
import { datasets } from './datasets';
import { frame } from './frame';
import { launch } from './launch';
import { models } from './models';
import { parallel } from './parallel';
import { queue } from './queue';
import { runPage } from './run-page';
import { runs } from './runs';
import { searches } from './searches';
import { shelf } from './shelf';

/** The words of the Lab panel, by view. */
export const lab = {
  board,
  charts,
  compare,
  datasets,
  frame,
  launch,
  models,
  parallel,
  queue,
  runPage,
  runs,
  searches,
  shelf,
} as const;
