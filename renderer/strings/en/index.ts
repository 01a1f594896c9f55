import { app } from './app';
import { ui } from './ui';
import { connection } from './connection';
import { tour } from './tour';
import { trace } from './trace';
import { decisions } from './decisions';
import { device } from './device';
import { endpoints } from './endpoints';
import { help } from './help';
import { lab } from './lab';
import { language } from './language';
import { models } from './models';
import { palette } from './palette';
import { run } from './run';
import { timeline } from './timeline';

/** Every English text of the console, by area. Its shape is what a translation has to give. */
export const en = {
  app,
  ui,
  connection,
  tour,
  trace,
  decisions,
  device,
  endpoints,
  help,
  lab,
  language,
  models,
  palette,
  run,
  timeline,
} as const;
